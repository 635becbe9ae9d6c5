"""Jobs for tests of the catalogue, and what it says of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from orchard.catalogue.finding import Found, Wanted, find
from orchard.catalogue.following import Follower
from orchard.catalogue.models import CataloguedJob
from orchard.catalogue.texts import parse_words
from orchard.domain.jobs import Job, create_job
from orchard.services import run, submissions

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def made(number: int, name: str = "talk.wav", **facts: object) -> Job:
    """A job that no engine knows, created so many seconds after midnight."""
    job = create_job(
        f"{number:016x}", name, "", 5, owner="", use_purifier=True, language="",
        at=T0 + timedelta(seconds=number),
    ).job  # fmt: skip
    return msgspec.structs.replace(job, **facts)


def submit(name: str = "talk.wav") -> str:
    """A job in the engine; its id."""
    job = run(submissions.create(name, "jobs/x/source.wav", 5, owner="ann", use_purifier=True))
    return job.job_id


def catch_up(follower: Follower) -> None:
    """Let the follower read all that there is."""
    while follower.step():
        pass


def listed() -> set[str]:
    """The ids in the catalogue."""
    return set(CataloguedJob.objects.values_list("job_id", flat=True))


def search(text: str = "", limit: int = 50, cursor: str = "", **more: str) -> Found:
    """A page of what a text finds."""
    return find(Wanted(words=parse_words(text), **more), limit=limit, cursor=cursor)
