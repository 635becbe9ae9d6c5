"""The issues' part of the scene: agents check issues out and in, and some fall silent."""

from __future__ import annotations

import random

from statecore.domain.issues import Holder, IssueStatus
from statecore.services import checkouts, labels, locks, namespaced, processes, run
from statecore.store.clock import ManualClock

AGENTS = ("planner", "builder-1", "builder-2", "builder-3", "reviewer", "docs-writer")
TASKS = ("implement", "review", "fix-bug", "write-docs")
ENDS = [IssueStatus.COMPLETED] * 7 + [IssueStatus.ERROR, IssueStatus.AWAITING_RESPONSE]


class IssueScene:
    """Two hundred issues, worked on by six agents over the same afternoon."""

    def __init__(self, clock: ManualClock, seed: int) -> None:
        self._clock = clock
        self._dice = random.Random(seed)

    def play(self, issues: int, minutes: int) -> None:
        """Let the minutes go by; what is still held at the end shows on the board."""
        for n, agent in enumerate(AGENTS):
            run(processes.register(agent, pid=4_000 + n, host="board", task_type="agent"))
        self._state()
        numbers = self._dice.sample(range(1, 640), issues)
        each_s = minutes * 60 / issues
        for position, number in enumerate(numbers):
            self._clock.advance(each_s)
            self._one(number, left=issues - position)
        run(locks.acquire("release-publish", "builder-2", 540_000))
        run(locks.acquire("docs-build", "docs-writer", 90_000))

    def _one(self, number: int, left: int) -> None:
        agent = self._dice.choice(AGENTS)
        # An agent that died keeps its process record, and stops to be heard of.
        if not (agent == "builder-3" and left < 40):
            run(processes.heartbeat(agent))
        if left <= 24:
            run(checkouts.update(number, IssueStatus.PENDING, {"title": f"Issue {number}"}))
            return
        pid = 4_000 + AGENTS.index(agent)
        holder = Holder(
            process_id=agent, task_type=self._dice.choice(TASKS), pid=pid, host="board",
            ttl_ms=self._dice.choice((300_000, 900_000)),
        )  # fmt: skip
        run(checkouts.check_out(number, holder))
        if left > 38:
            end = self._dice.choice(ENDS)
            result = {"pull_request": 1_000 + number} if end is IssueStatus.COMPLETED else None
            run(checkouts.check_in(number, end, result))
        self._deliver(left)

    def _deliver(self, left: int) -> None:
        """The label requests of most are sent; of some GitHub wants to know nothing."""
        if left < 6:
            return
        for request in run(labels.claim(10)):
            if request.issue % 17 == 0:
                reason = "GitHub: 403 Resource not accessible by personal access token"
                run(labels.mark_failed(request.request_id, reason, final=True))
            else:
                run(labels.mark_sent(request.request_id))

    def _state(self) -> None:
        for n in range(40):
            value = {"title": f"Interview {n}", "tags": ["audio", "歴史"], "minutes": n * 3}
            run(namespaced.put("recordings", f"tape-{n:03}", value))
        run(namespaced.put("recordings", "tape-000", {"title": "Interview 0", "minutes": 12}))
        run(namespaced.put("config", "models", {"default": "bundled", "fallback": "pocketsphinx"}))
        run(namespaced.put("config", "notice", "収録は木曜日です。"))
        run(namespaced.put("config", "limits", {"upload_mb": 2000, "per_day": 40}))
