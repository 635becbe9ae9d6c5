"""Every address of the site outside of the API, with the role it needs.

``needs`` is ``None`` for what is open to strangers. Names in braces are things of the
world that :func:`plant` makes. ``form`` is what an action is sent; with it, whoever may
do it changes something, unless ``changes`` is false.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile

from orchard.cleaning import runs
from orchard.cleaning.deeds import DEEDS
from orchard.domain.timeline import ChunkResult, Line
from orchard.domain.transcripts import make_result
from orchard.models import AuditEntry, CleaningRun, SignInLink, Token
from orchard.ports import recordings
from orchard.roles import Role
from orchard.services import fleet, pipeline, queries, reports, run, schedules, submissions
from orchard.sign_in import create_link
from orchard.tokens import create_token
from orchard.webhooks import endpoints
from orchard.webhooks.models import Delivery, Endpoint
from statecore.domain.issues import Holder, IssueStatus
from statecore.services import checkouts, editing, labels, locks, migration_flag, namespaced
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from tests.schedules.works import make as make_schedule
from tests.services import orchards

V, O, A = Role.VIEWER, Role.OPERATOR, Role.ADMIN  # noqa: E741 - short, as the table is long
YES = {"confirmed": "1"}


@dataclass(frozen=True)
class Row:
    """One address and method."""

    route: str
    method: str
    path: str
    needs: Role | None
    form: dict[str, Any] = field(default_factory=dict)
    changes: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


def _look(route: str, path: str = "", needs: Role | None = V, query: str = "") -> Row:
    return Row(route, "get", f"/{path or route}{query}", needs, changes=False)


def _do(
    route: str, path: str, needs: Role | None, changes: bool = True, query: str = "", **form: Any
) -> Row:
    return Row(route, "post", f"/{path}{query}", needs, form, changes)


_JOB, _WORKER = "ui/jobs/<str:job_id>", "ui/workers/<str:worker_id>"
_ISSUE, _SPACE = "ui/issues/<int:number>", "ui/state/<str:namespace>"
_HOOK = "ui/webhooks/<str:uid>"
_SCHEDULE = "ui/schedules/<str:schedule_id>"
_RUN, _USER = "ui/cleanup/<int:pk>", "ui/access/users/<path:name>"

ROWS = [
    # open to everybody
    _look("healthz", needs=None), _look("readyz", needs=None), _look("jsi18n/", needs=None),
    _look("login", needs=None),
    _look("sign-in/<str:secret>", "sign-in/{secret}", None),
    _do("sign-in/<str:secret>", "sign-in/{secret}", None),
    _do("login", "login", None, username="nobody", password="wrong"),
    _do("logout", "logout", None, False),
    _do("i18n/setlang/", "i18n/setlang/", None, False, language="ja"),
    # jobs
    _look("", ""), _look("ui/jobs/"), _look("ui/jobs/rows"), _look("ui/charts"),
    _look("ui/transcripts/"),
    _look("ui/numbers"),
    _look(f"{_JOB}/", "ui/jobs/{job}/"), _look(f"{_JOB}/changes", "ui/jobs/{job}/changes"),
    _look(f"{_JOB}/audio", "ui/jobs/{job}/audio"),
    _do(f"{_JOB}/edit", "ui/jobs/{done}/edit", O, start_ms="0", text="x", was="Hello"),
    _do(f"{_JOB}/cancel", "ui/jobs/{job}/cancel", O, **YES),
    _do(f"{_JOB}/retry", "ui/jobs/{failed}/retry", O),
    _do(f"{_JOB}/pin", "ui/jobs/{failed}/pin", O, pinned="1"),
    _do(f"{_JOB}/delete", "ui/jobs/{job}/delete", O, **YES),
    # schedules
    _look("ui/schedules/"),
    _do("ui/schedules/add", "ui/schedules/add", O, name="new", cron="0 9 * * *", type="text",
        file="{upload}"),
    _do(f"{_SCHEDULE}/pause", "ui/schedules/{schedule}/pause", O),
    _do(f"{_SCHEDULE}/resume", "ui/schedules/{resting}/resume", O),
    _do(f"{_SCHEDULE}/run", "ui/schedules/{schedule}/run", O),
    _do(f"{_SCHEDULE}/delete", "ui/schedules/{schedule}/delete", O, **YES),
    # workers
    _do("ui/workers/add", "ui/workers/add", O, url="http://127.0.0.1:9"),
    _look("ui/workers/"), _look("ui/workers/list"), _look(f"{_WORKER}/", "ui/workers/{worker}/"),
    _do(f"{_WORKER}/drain", "ui/workers/{worker}/drain", O),
    _do(f"{_WORKER}/pause", "ui/workers/{worker}/pause", O),
    _do(f"{_WORKER}/resume", "ui/workers/{paused}/resume", O),
    _do(f"{_WORKER}/remove", "ui/workers/{worker}/remove", O, **YES),
    # issues, processes, locks, labels
    _look("ui/issues/"), _look("ui/issues/find", query="?number=7"),
    _look(f"{_ISSUE}/", "ui/issues/{orphan}/"),
    _do("ui/issues/repair", "ui/issues/repair", O, number="{orphan}", **YES),
    _do(f"{_ISSUE}/repair", "ui/issues/{orphan}/repair", O, **YES),
    _do(f"{_ISSUE}/check-in", "ui/issues/{held}/check-in", O, status="pending",
        token="{held_token}", **YES),
    _do(f"{_ISSUE}/status", "ui/issues/{idle}/status", O, status="pending"),
    _do(f"{_ISSUE}/reset", "ui/issues/{held}/reset", O, **YES),
    _look("ui/processes/"),
    _do("ui/processes/clean-zombies", "ui/processes/clean-zombies", O, process="{zombie}", **YES),
    _do("ui/processes/<path:process_id>/clean-up", "ui/processes/{process}/clean-up", O, **YES),
    _look("ui/locks/"),
    _do("ui/locks/<path:name>/release", "ui/locks/{lock}/release", O, token="{lock_token}", **YES),
    _look("ui/labels/"),
    _do("ui/labels/retry-failed", "ui/labels/retry-failed", O, **YES),
    _do("ui/labels/<path:request_id>/retry", "ui/labels/{label}/retry", O),
    # state: everybody reads, admins change
    _look("ui/state/"), _look("ui/state/new", query="?namespace=notes&key=a"),
    _look(f"{_SPACE}/", "ui/state/notes/"),
    _look(f"{_SPACE}/entry", "ui/state/notes/entry", query="?key=a"),
    _look(f"{_SPACE}/download", "ui/state/notes/download", query="?key=a"),
    _do(f"{_SPACE}/entry", "ui/state/notes/entry", A, query="?key=a", value="2", mark="{mark}"),
    _do(f"{_SPACE}/delete", "ui/state/notes/delete", A, query="?key=a&mark={mark}", **YES),
    _do("ui/state/reset-migration", "ui/state/reset-migration", A, **YES),
    # logs, events, engine
    _look("ui/logs/"), _look("ui/logs/new", query="?after=0"), _look("ui/events/"),
    _look("ui/events/new", query="?after={cursor}"), _look("ui/engine/"),
    # cleaning: entries, the flag and what is purged are for admins
    _look("ui/cleanup/"), _look("ui/cleanup/kinds"), _look(f"{_RUN}/", "ui/cleanup/{run}/"),
    _do("ui/cleanup/preview", "ui/cleanup/preview", O, deed="worker.drain", name="{worker}"),
    _do("ui/cleanup/preview", "ui/cleanup/preview", A, deed="entry.delete", all="1",
        namespace="notes"),
    _do("ui/cleanup/preview", "ui/cleanup/preview", A, deed="state.reset_migration", all="1"),
    _do("ui/cleanup/preview", "ui/cleanup/preview", A, deed="expired.purge", all="1"),
    _do(f"{_RUN}/step", "ui/cleanup/{running}/step", O),
    _do(f"{_RUN}/<str:to>", "ui/cleanup/{run}/begin", O),
    _do(f"{_RUN}/<str:to>", "ui/cleanup/{admin_run}/begin", A),
    # access
    _look("ui/access/", needs=A), _look("ui/access/tokens/", needs=A),
    _look("ui/access/audit/", needs=A), _look("ui/access/audit/export", needs=A),
    _do("ui/access/users/add", "ui/access/users/add", A, username="new", role="viewer"),
    _do("ui/access/users/let-in-again", "ui/access/users/let-in-again", A, username="guessed"),
    _do(f"{_USER}/role", "ui/access/users/other/role", A, role="admin"),
    _do(f"{_USER}/link", "ui/access/users/other/link", A),
    _do(f"{_USER}/shut-out", "ui/access/users/other/shut-out", A, **YES),
    _do(f"{_USER}/let-in", "ui/access/users/gone/let-in", A),
    _do("ui/access/tokens/add", "ui/access/tokens/add", A, name="new", scopes=["admin"]),
    _do("ui/access/tokens/<int:pk>/revoke", "ui/access/tokens/{token}/revoke", A, **YES),
    # webhooks
    _look("ui/webhooks/", needs=A), _look(f"{_HOOK}/", "ui/webhooks/{hook}/", A),
    _do("ui/webhooks/add", "ui/webhooks/add", A, url="https://93.184.216.34/hook"),
    _do(f"{_HOOK}/change", "ui/webhooks/{hook}/change", A, url="https://93.184.216.34/other"),
    _do(f"{_HOOK}/enable", "ui/webhooks/{still_hook}/enable", A),
    _do(f"{_HOOK}/disable", "ui/webhooks/{hook}/disable", A),
    _do(f"{_HOOK}/rotate", "ui/webhooks/{hook}/rotate", A, **YES),
    _do(f"{_HOOK}/delete", "ui/webhooks/{hook}/delete", A, **YES),
    _do(f"{_HOOK}/test", "ui/webhooks/{hook}/test", A),
    _do(f"{_HOOK}/replay", "ui/webhooks/{hook}/replay", A),
    _do(f"{_HOOK}/deliveries/<int:pk>/replay", "ui/webhooks/{hook}/deliveries/{delivery}/replay",
        A),
    # one's own
    _look("ui/me/"),
    _do("ui/me/password", "ui/me/password", V, new_password1="correct horse battery",
        new_password2="correct horse battery"),
    _do("ui/me/sign-out-elsewhere", "ui/me/sign-out-elsewhere", V),
    _do("ui/me/tokens/add", "ui/me/tokens/add", V, name="mine", scopes=["read"]),
    _do("ui/me/tokens/<int:pk>/revoke", "ui/me/tokens/{own_token}/revoke", V, **YES),
]  # fmt: skip


class World:
    """Things that every action finds something to do to, and people of every role."""

    def __init__(self, store: MemoryStore, clock: ManualClock) -> None:
        self._store = store
        self.names: dict[str, Any] = {}
        self._people()
        self._issues(clock)
        self._state()
        self._jobs()
        self._runs()
        self._schedules()
        self._webhooks()
        self.names["cursor"] = run(queries.events_end())

    def fill(self, text: Any) -> Any:
        """A path or a form's value with the names of this world, or a file to hand in."""
        if text == "{upload}":
            return SimpleUploadedFile("a.txt", b"one")
        return text.format_map(self.names) if isinstance(text, str) else text

    def snapshot(self) -> dict[str, Any]:
        """All that is kept: state, and the database but for sessions and last sign-ins."""
        keys = self._store._keys
        held = {name: _plain(value) for name, value in keys._values.items()}
        kinds = (User.groups.through, AuditEntry, Token, SignInLink, CleaningRun, AccessAttempt)
        kinds += (Endpoint, Delivery)
        rows = {kind.__name__: list(kind.objects.order_by("pk").values()) for kind in kinds}
        people = [
            {name: value for name, value in row.items() if name != "last_login"}
            for row in User.objects.order_by("pk").values()
        ]
        return {"state": held, "deadlines": dict(keys._deadlines), "people": people} | rows

    def _people(self) -> None:
        other = User.objects.create_user("other")
        self.people = {
            Role.VIEWER: User.objects.create_user("viewer"),
            Role.OPERATOR: User.objects.create_user("operator"),
            Role.ADMIN: User.objects.create_superuser("admin"),
        }
        operators, _ = Group.objects.get_or_create(name="operator")
        self.people[Role.OPERATOR].groups.add(operators)
        for user in self.people.values():
            user.set_unusable_password()
            user.save()
        User.objects.create_user("gone", is_active=False)
        AccessAttempt.objects.create(username="guessed", failures_since_start=3)
        own = create_token("own", ["read"], owner=self.people[Role.VIEWER])[0]
        self.names |= {
            "token": create_token("robot", ["read"])[0].pk, "own_token": own.pk,
            "secret": create_link(other).rsplit("/", 1)[-1],
        }  # fmt: skip

    def _webhooks(self) -> None:
        made = endpoints.create("https://93.184.216.34/hook")[0]
        still = endpoints.create("https://93.184.216.34/still")[0]
        endpoints.change(still.uid, is_enabled=False)
        sent = endpoints.send_test(made.uid)
        Delivery.objects.filter(pk=sent.pk).update(state="failed")
        self.names |= {"hook": made.uid, "still_hook": still.uid, "delivery": sent.pk}

    def _issues(self, clock: ManualClock) -> None:
        run(checkouts.check_out(7, Holder(process_id="silent")))
        run(checkouts.check_out(10, Holder(process_id="failing")))
        run(checkouts.check_in(10, IssueStatus.ERROR))
        for one in run(labels.claim(50)):
            run(labels.mark_failed(one.request_id, "403", final=True))
            self.names["label"] = one.request_id
        clock.advance(seconds=3600)
        held = run(checkouts.check_out(8, Holder(process_id="agent-8")))
        lock = run(locks.acquire("deploy", "me", 600_000))
        self.names |= {
            "orphan": 7, "held": 8, "held_token": held.token, "idle": 10, "zombie": "silent",
            "process": "agent-8", "lock": "deploy", "lock_token": lock.token,
        }  # fmt: skip

    def _state(self) -> None:
        run(namespaced.put("notes", "a", 1))
        run(migration_flag.set_flag({"issues": 3}, {}))
        self.names["mark"] = editing.mark_of(run(namespaced.get("notes", "a")))

    def _jobs(self) -> None:
        done = orchards.processing(1)
        orchards.worker("w1")
        claimed = orchards.claim("w1")[0]
        result = ChunkResult(
            text="Hello", time_ms=5, segments=(Line(start_ms=0, end_ms=900, text="Hello"),)
        )
        run(reports.complete(orchards.name_of(claimed), "w1", claimed.chunk.token, result))
        ready = run(pipeline.claim_stage("p1"))
        assert ready
        chunks, fields = run(pipeline.get_results(done.job_id))
        joined = queries.join_results(chunks, fields)
        recordings.save_bytes(recordings.transcript_name(done.job_id), msgspec.json.encode(joined))
        ended = make_result(joined, 7, 9999)
        run(pipeline.finish_aggregating(done.job_id, ready.stage.token, ended, chunks))
        failed = orchards.submit()
        stage = run(pipeline.claim_stage("p1"))
        assert stage
        run(pipeline.fail_stage(failed.job_id, stage.stage.token, "broken", retry=False))
        orchards.worker("w2")
        run(fleet.pause("w2"))
        self.names |= {
            "job": orchards.processing(2).job_id, "done": done.job_id, "failed": failed.job_id,
            "worker": "w1", "paused": "w2",
        }  # fmt: skip
        assert run(submissions.get_record(done.job_id)).status == "completed"

    def _schedules(self) -> None:
        waiting, resting = make_schedule(), make_schedule()
        run(schedules.change(resting.schedule_id, {"is_enabled": False}))
        self.names |= {"schedule": waiting.schedule_id, "resting": resting.schedule_id}

    def _runs(self) -> None:
        drains, deletes = DEEDS["worker.drain"], DEEDS["entry.delete"]
        running = runs.prepare(drains, {}, ["w1"], "other")
        runs.begin(running)
        self.names |= {
            "running": running.pk, "run": runs.prepare(drains, {}, ["w2"], "other").pk,
            "admin_run": runs.prepare(deletes, {"namespace": "notes"}, [], "other").pk,
        }  # fmt: skip


def _plain(value: Any) -> Any:
    """A value of the store that can be compared later."""
    if hasattr(value, "__slots__") or hasattr(value, "__dict__"):
        return repr(sorted(vars(value).items()))
    return value.copy() if hasattr(value, "copy") else value
