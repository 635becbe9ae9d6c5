"""The status manager: who works on which issue (CONTRACTS section 3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from statecore import codec
from statecore.domain import issues
from statecore.domain.errors import HeldByAnother, StaleToken, UnknownIssue
from statecore.domain.issues import DEFAULT_TASK, Claimant, Holder, Issue
from statecore.domain.orphans import COMMENT, Orphan
from statecore.managers.transactions import refuse_inside
from statecore.services import checkouts, deliveries, issue_lists, migrations, orphans
from statecore.store.base import Store

Record = dict[str, Any]


class StatusManager:
    """Check-out, heartbeat and check-in of issues, for one program.

    It remembers the fencing tokens of its own check-outs, so that a check-in
    which comes too late is refused. Records are those of CONTRACTS section 3.

    All methods raise:
        InvalidInput: the number of an issue, or another value, will not do.
        StoreUnavailable: the state engine cannot be reached.
    """

    def __init__(
        self, store: Store, *, requests_dir: Path | None = None, state_dir: Path | None = None
    ) -> None:
        self.store = store
        self._state_dir = state_dir
        """Where files of older systems may lie that are to be taken over."""
        self._requests_dir = requests_dir
        """Where label requests are written when nobody else delivers them."""
        self._tokens: dict[int, int] = {}

    def initialize(self) -> None:
        """Make sure that the engine answers; take over the files of an older system, once.

        Raises:
            LockTimeout: another process is taking them over, and does not come to an end.
        """
        self.store.run(issue_lists.processing())
        if self._state_dir:
            migrations.migrate_at_first_start(self.store, self._state_dir)

    def close(self) -> None:
        """Give back the connections."""
        self.store.close()

    def checkout(
        self, issue: int, process_id: str, task_type: str = DEFAULT_TASK, *,
        ttl_s: float | None = None,
    ) -> Record:  # fmt: skip
        """Give an issue to a process; the record.

        Raises:
            HeldByAnother: another process holds it; names it.
        """
        refuse_inside()
        holder = _holder(process_id, task_type, ttl_s)
        return self._checked_out(self.store.run(checkouts.check_out(issue, holder)))

    def update_heartbeat(self, issue: int) -> bool:
        """Keep a check-out alive; false when the issue is not being processed (by us any more)."""
        try:
            return self.store.run(checkouts.heartbeat(issue, self._claimant(issue))) is not None
        except (HeldByAnother, StaleToken):
            return False

    def checkin(
        self, issue: int, status: str = "completed", result: Any = None, *,
        process_id: str | None = None,
    ) -> Record:  # fmt: skip
        """Take an issue back, with what came of it; the record.

        Raises:
            NotCheckedOut: nobody holds it.
            HeldByAnother: another process than ``process_id`` holds it.
            StaleToken: somebody else has checked it out since this manager did.
        """
        refuse_inside()
        steps = checkouts.check_in(
            issue, issues.check_status(status), {} if result is None else result,
            self._claimant(issue, process_id),
        )  # fmt: skip
        return self._checked_in(self.store.run(steps))

    def update_status(
        self, issue: int, status: str, metadata: Mapping[str, Any] | None = None
    ) -> Record:
        """Set the state of an issue that nobody else holds; the record.

        Raises:
            HeldByAnother: a process holds it that did not check it out here.
            TransitionRefused: processing needs a check-out.
        """
        refuse_inside()
        wanted = issues.check_status(status)
        steps = checkouts.update(issue, wanted, metadata, self._claimant(issue))
        return self._checked_in(self.store.run(steps))

    def get_issue_status(self, issue: int) -> Record | None:
        """The record of an issue, or ``None`` when nothing is known of it."""
        try:
            return codec.issue_record(self.store.run(checkouts.get(issue)))
        except UnknownIssue:
            return None

    def reset_issue_status(self, issue: int) -> bool:
        """Forget an issue, whoever holds it; false when nothing is known of it."""
        refuse_inside()
        self._tokens.pop(issue, None)
        try:
            self.store.run(checkouts.reset(issue))
        except UnknownIssue:
            return False
        self._deliver()
        return True

    def get_currently_processing(self) -> list[int]:
        """The numbers of the issues that are checked out, in order."""
        return self.store.run(issue_lists.processing())

    def get_all_issue_statuses(self) -> dict[int, Record]:
        """The records of all issues, by number."""
        found = self.store.run(issue_lists.all_issues())
        return {number: codec.issue_record(issue) for number, issue in found.items()}

    def detect_orphaned_issues(self) -> list[Record]:
        """Issues whose process is gone: their records, with ``issueNumber`` and ``reason``."""
        return [_orphan_record(orphan) for orphan in self.store.run(orphans.detect())]

    def repair_orphaned_issues(
        self, comment: Callable[[Orphan], str] = lambda orphan: COMMENT
    ) -> list[int]:
        """Check orphans in as ``error`` and ask for a comment on each; their numbers."""
        refuse_inside()
        repaired = self.store.run(orphans.repair_all(comment))
        self._deliver()
        return [orphan.issue.number for orphan in repaired]

    def get_statistics(self) -> dict[str, int]:
        """How many issues are in which state (the names of CONTRACTS section 3)."""
        found = self.store.run(issue_lists.statistics())
        return {
            "total": found.total, "processing": found.processing, "completed": found.completed,
            "error": found.error, "awaitingResponse": found.awaiting_response,
            "orphaned": found.orphaned,
        }  # fmt: skip

    async def acheckout(
        self, issue: int, process_id: str, task_type: str = DEFAULT_TASK, *,
        ttl_s: float | None = None,
    ) -> Record:  # fmt: skip
        """The same as :meth:`checkout`, without blocking the event loop."""
        holder = _holder(process_id, task_type, ttl_s)
        return self._checked_out(await self.store.arun(checkouts.check_out(issue, holder)))

    async def aupdate_heartbeat(self, issue: int) -> bool:
        """The same as :meth:`update_heartbeat`, without blocking the event loop."""
        steps = checkouts.heartbeat(issue, self._claimant(issue))
        try:
            return await self.store.arun(steps) is not None
        except (HeldByAnother, StaleToken):
            return False

    async def acheckin(self, issue: int, status: str = "completed", result: Any = None) -> Record:
        """The same as :meth:`checkin`, without blocking the event loop."""
        steps = checkouts.check_in(
            issue, issues.check_status(status), {} if result is None else result,
            self._claimant(issue),
        )  # fmt: skip
        return self._checked_in(await self.store.arun(steps))

    def _checked_out(self, issue: Issue) -> Record:
        self._tokens[issue.number] = issue.token
        self._deliver()
        return codec.issue_record(issue)

    def _checked_in(self, issue: Issue) -> Record:
        if not issue.is_held:
            self._tokens.pop(issue.number, None)
        self._deliver()
        return codec.issue_record(issue)

    def _claimant(self, issue: int, process_id: str | None = None) -> Claimant:
        return Claimant(process_id=process_id, token=self._tokens.get(issue))

    def _deliver(self) -> None:
        """Write label requests to files, unless an ambassador is there to deliver them."""
        if self._requests_dir:
            deliveries.deliver_to_files(self.store, self._requests_dir)

    def __enter__(self) -> StatusManager:
        self.initialize()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


def _holder(process_id: str, task_type: str, ttl_s: float | None) -> Holder:
    ttl_ms = None if ttl_s is None else round(ttl_s * 1000)
    return Holder(
        process_id=process_id, task_type=task_type, pid=os.getpid(), host=socket.gethostname(),
        ttl_ms=ttl_ms,
    )  # fmt: skip


def _orphan_record(orphan: Orphan) -> Record:
    record = codec.issue_record(orphan.issue)
    return {"issueNumber": orphan.issue.number, "reason": orphan.reason, **record}
