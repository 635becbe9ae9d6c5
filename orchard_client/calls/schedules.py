"""Schedules: files that are handed in again and again."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from typing import BinaryIO

from orchard_client.call import API, Call, answers, get, quoted, send, text_of
from orchard_client.models.jobs import Job
from orchard_client.models.schedules import Schedule, Schedules
from orchard_client.uploads import upload_of

_schedule = answers(Schedule)


def list_schedules() -> Call[Schedules]:
    """All schedules, those first that are due soonest."""
    return get("/schedules", answers(Schedules))


def create_schedule(
    file: str | os.PathLike[str] | BinaryIO, name: str, cron: str, *,
    time_zone: str | None = None, filename: str | None = None, language: str | None = None,
    prompt: str | None = None, hot_words: Sequence[str] = (), words: bool | None = None,
    purifier: bool | None = None, type: str | None = None,
    priority: str | int | None = None, requires: Sequence[str] = (),
) -> Call[Schedule]:  # fmt: skip
    """Keep a file that is handed in at the times of ``cron``, five fields in ``time_zone``.

    The rest is as of a file that is handed in once. It is not sent again by itself.
    """
    return Call(
        method="POST", path=f"{API}/schedules", read=_schedule,
        upload=upload_of(file, filename, None),
        form=text_of({
            "name": name, "cron": cron, "time_zone": time_zone, "language": language,
            "prompt": prompt, "hot_words": ",".join(hot_words), "words": words,
            "purifier": purifier, "type": type, "priority": priority,
            "requires": ",".join(requires) or None,
        }),
    )  # fmt: skip


def get_schedule(schedule_id: str) -> Call[Schedule]:
    """A schedule, with its next time and what came of the last."""
    return get(_of(schedule_id), _schedule)


def update_schedule(
    schedule_id: str, *, name: str | None = None, cron: str | None = None,
    time_zone: str | None = None, enabled: bool | None = None,
    priority: str | int | None = None, requires: Sequence[str] | None = None,
) -> Call[Schedule]:  # fmt: skip
    """Change a schedule, disable it, or enable it again; what is ``None`` stays."""
    body = {
        "name": name, "cron": cron, "time_zone": time_zone, "enabled": enabled,
        "priority": None if priority is None else str(priority),
        "requires": None if requires is None else list(requires),
    }  # fmt: skip
    return send("PATCH", _of(schedule_id), _schedule, body, repeatable=True)


def delete_schedule(schedule_id: str) -> Call[Schedule]:
    """Hand the file in no more, and delete it; the jobs that it led to stay."""
    return send("DELETE", _of(schedule_id), _schedule)


def run_schedule(schedule_id: str, *, idempotency_key: str | None = None) -> Call[Job]:
    """Hand the file in at once, beside its times; one job comes of it, however often it is sent."""
    headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
    path = f"{_of(schedule_id)}/run"
    return send("POST", path, answers(Job), repeatable=True, headers=headers)


def _of(schedule_id: str) -> str:
    return f"/schedules/{quoted(schedule_id)}"
