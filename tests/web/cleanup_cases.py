"""One case for each action of the cleanup page: a thing that needs it, and who watches that thing.

A case puts the thing into the engine by services, as programs do. It says under
which name the cleanup page has it, which page somebody else has open meanwhile,
and what becomes visible there.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Locator, Page

from orchard.cleaning.things import KINDS
from orchard.services import fleet, pipeline, run, submissions
from statecore.domain.issues import Holder
from statecore.services import checkouts, issue_lists, labels, locks, migration_flag, namespaced
from statecore.store.base import Store
from statecore.store.ops import SortedAdd
from tests.services import orchards


class Planted(NamedTuple):
    """A thing that is there to be cleaned."""

    name: str
    watched: str
    """The page of that thing, which somebody else has open."""
    before: str
    """What is visible there as long as nothing has been done (a CSS selector)."""
    after: str
    """What is visible there afterwards."""
    filters: str = ""
    """What to ask the cleanup page for, as the end of its address."""


Plant = Callable[[Store], Planted]


def failed_job(_: Store) -> Planted:
    """A job that failed."""
    name = _failed()
    return _job(name, _head("failed"), _head("created"))


def deleted_job(_: Store) -> Planted:
    """A job that failed, and that nobody wants."""
    return _job(_failed(), _head("failed"), "h1:has-text('Nothing grows here')")


def ended_job(_: Store) -> Planted:
    """A job that has ended and expires."""
    return _job(_cancelled(), "[data-keep=pin][value='1']", "[data-keep=pin][value='0']")


def kept_job(_: Store) -> Planted:
    """A job that has ended and is kept."""
    name = _cancelled()
    run(submissions.pin(name, True))
    return _job(name, "[data-keep=pin][value='0']", "[data-keep=pin][value='1']")


def open_job(_: Store) -> Planted:
    """A job that waits."""
    return _job(orchards.submit().job_id, _head("created"), _head("cancelled"))


def held_chunk(_: Store) -> Planted:
    """A chunk that a worker has."""
    job, worker = orchards.processing(2), orchards.worker(_new("worker"))
    name = next(
        orchards.name_of(one) for one in orchards.claim(worker, 5) if one.job.job_id == job.job_id
    )
    return _chunk(name, "running", "waiting")


def waiting_chunk(_: Store) -> Planted:
    """A chunk that waits for a worker."""
    return _chunk(f"{orchards.processing(2).job_id}_chunk_0", "waiting", "failed")


def idle_worker(_: Store) -> Planted:
    """A worker that is there and has nothing to do."""
    name = orchards.worker(_new("worker"))
    return _worker(name, _card(name, "online"), _card(name, "draining"))


def pausing_worker(_: Store) -> Planted:
    """Another one."""
    name = orchards.worker(_new("worker"))
    return _worker(name, _card(name, "online"), _card(name, "paused"))


def paused_worker(_: Store) -> Planted:
    """A worker that was paused."""
    name = orchards.worker(_new("worker"))
    run(fleet.pause(name))
    return _worker(name, _card(name, "paused"), _card(name, "online"))


def removed_worker(_: Store) -> Planted:
    """A worker that is to go; another one stays."""
    name, other = orchards.worker(_new("worker")), orchards.worker("stays")
    gone = f"ul:not(:has([data-key='{name}'])) > [data-key='{other}']"
    return _worker(name, f"[data-key='{name}']", gone)


def held_issue(_: Store) -> Planted:
    """An issue that somebody works on."""
    number = _issue()
    return _of_issue(number, _head("processing"), _head("pending"))


def known_issue(_: Store) -> Planted:
    """An issue that is done."""
    number = _issue()
    run(checkouts.check_in(number))
    return _of_issue(number, _head("completed"), "text=Nothing is known of this issue")


def orphan(_: Store) -> Planted:
    """An issue whose process no longer exists."""
    number = _issue(pid=2**40, host=socket.gethostname())
    return _of_issue(number, "h1", _head("error"))


def process(_: Store) -> Planted:
    """A process that holds an issue; another one stays."""
    stays, name = (f"agent-{_issue()}" for _ in range(2))
    row = f"tr[data-key='{name}']"
    gone = f"tbody:not(:has({row})) tr[data-key='{stays}']"
    return Planted(name, "/ui/processes/", row, gone)


def lock(_: Store) -> Planted:
    """A lock that somebody holds; another one stays."""
    name = _new("lock")
    run(locks.acquire(name, "me", 600_000))
    run(locks.acquire("stays", "me", 600_000))
    row = f"tr[data-key='{name}']"
    gone = f"tbody:not(:has({row})) tr[data-key=stays]"
    return Planted(name, "/ui/locks/", row, gone)


def entry(_: Store) -> Planted:
    """An entry; another one stays."""
    key = _new("key")
    run(namespaced.put("custom", key, {"old": True}))
    run(namespaced.put("custom", "stays", 1))
    row = f"tr[data-key='e-{key}']"
    gone = f"tbody:not(:has({row})) tr[data-key=e-stays]"
    return Planted(f"custom/{key}", "/ui/state/custom/", row, gone, "&namespace=custom")


def label(_: Store) -> Planted:
    """A label request that was given up."""
    number = _issue()
    run(checkouts.check_in(number, issue_lists.status_named("error")))
    (name, *others) = [one.request_id for one in run(labels.of_issue(number))]
    for one in (name, *others):
        run(labels.mark_failed(one, "no such repository", final=True))
    row = f"tr[data-key='{name}']"
    watched = f"/ui/issues/{number}/"
    return Planted(name, watched, f"{row} [data-status=failed]", f"{row} [data-status=queued]")


def flag(_: Store) -> Planted:
    """The flag of a migration."""
    run(namespaced.put(migration_flag.CONFIG, "stays", 1))
    run(migration_flag.set_flag({"issues": 3}, {}))
    row = f"tr[data-key='e-{migration_flag.FLAG}']"
    gone = f"tbody:not(:has({row})) tr[data-key=e-stays]"
    name = f"{migration_flag.CONFIG}/{migration_flag.FLAG}"
    return Planted(name, f"/ui/state/{migration_flag.CONFIG}/", row, gone)


def past_its_time(store: Store) -> Planted:
    """A worker that nobody has heard of for a year, which nobody has cleared."""
    url = f"agent://{_new('worker')}"
    store.commit({}, [SortedAdd("index:workers", {url: 1.0})])
    watched = "/ui/cleanup/?kind=expired"
    box = f"tr[data-key='workers/{url}']"
    return Planted(f"workers/{url}", watched, box, f"form:not(:has({box})) >> [data-region=things]")


CASES: dict[str, Plant] = {
    "job.retry": failed_job,
    "job.pin": ended_job,
    "job.unpin": kept_job,
    "job.cancel": open_job,
    "job.delete": deleted_job,
    "letter.retry": failed_job,
    "letter.delete": deleted_job,
    "chunk.requeue": held_chunk,
    "chunk.fail": waiting_chunk,
    "worker.drain": idle_worker,
    "worker.pause": pausing_worker,
    "worker.resume": paused_worker,
    "worker.remove": removed_worker,
    "issue.release": held_issue,
    "issue.reset": known_issue,
    "issue.repair": orphan,
    "process.clean": process,
    "lock.release": lock,
    "entry.delete": entry,
    "label.retry": label,
    "state.reset_migration": flag,
    "expired.purge": past_its_time,
}
"""A case for each action of :data:`orchard.cleaning.deeds.DEEDS`."""


def forget_jobs() -> None:
    """Let no job of the case before stand in the way of this one's."""
    for one in list(KINDS["jobs"].all({})):
        run(submissions.remove(one.name))


def box_of(page: Page, planted: Planted) -> Locator:
    """Where a thing is ticked."""
    return page.locator(f"tr[data-key='{planted.name}'] input[type=checkbox]")


_issues = iter(range(100, 1000))


def _issue(**holder: object) -> int:
    number = next(_issues)
    run(checkouts.check_out(number, Holder(process_id=f"agent-{number}", **holder)))  # type: ignore[arg-type]
    return number


def _new(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:6]}"


def _failed() -> str:
    job_id = orchards.submit().job_id
    stage = run(pipeline.claim_stage("p"))
    assert stage
    run(pipeline.fail_stage(job_id, stage.stage.token, "broken", retry=False))
    return job_id


def _cancelled() -> str:
    job_id = orchards.submit().job_id
    run(submissions.cancel(job_id))
    return job_id


def _job(name: str, before: str, after: str) -> Planted:
    return Planted(name, f"/ui/jobs/{name}/", before, after)


def _chunk(name: str, before: str, after: str) -> Planted:
    job_id, _, index = name.partition("_chunk_")
    row = f"#chunk-{index} [data-status="
    return Planted(name, f"/ui/jobs/{job_id}/", f"{row}{before}]", f"{row}{after}]")


def _worker(name: str, before: str, after: str) -> Planted:
    return Planted(name, "/ui/workers/", before, after)


def _of_issue(number: int, before: str, after: str) -> Planted:
    return Planted(str(number), f"/ui/issues/{number}/", before, after)


def _head(status: str) -> str:
    return f".badge.large[data-status={status}]"


def _card(name: str, status: str) -> str:
    return f"[data-key='{name}'] .badge[data-status={status}]"
