"""Recordings that are handed in, what becomes of them, and their transcripts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO, Literal

from orchard_client.call import API, Call, answers, content, get, quoted, send, text, text_of
from orchard_client.models.jobs import Job, JobsPage, Purifier, SaidPage
from orchard_client.uploads import Progress, upload_of

Form = Literal["json", "txt", "srt", "vtt"]
Sort = Literal["newest", "oldest", "changed"]

_job, _page, _purifier = answers(Job), answers(JobsPage), answers(Purifier)


def create_job(
    file: str | os.PathLike[str] | BinaryIO, *, name: str | None = None,
    language: str | None = None, prompt: str | None = None, hot_words: Sequence[str] = (),
    words: bool | None = None, purifier: bool | None = None, type: str | None = None,
    priority: str | int | None = None, requires: Sequence[str] = (),
    run_at: datetime | str | None = None,
    idempotency_key: str | None = None, progress: Progress | None = None,
) -> Call[Job]:  # fmt: skip
    """Hand in a recording: a path, or a file open for reading bytes.

    ``language`` is a code such as `en`, recognized unless given; ``prompt`` and
    ``hot_words``, which have no commas in them, help those who transcribe it.

    ``type`` is the kind of work, a recording unless given; ``priority`` is from 0 to 9, or
    `low`, `normal`, `high`; ``requires`` are labels that its workers must have; it does
    not begin before ``run_at``, which has a time zone.

    However often it has to be sent, one job comes of it: the key, one of its own unless
    given, says that it is the same. ``progress`` is told how many bytes are sent, and of
    how many.
    """
    upload = upload_of(file, name, progress)
    return Call(
        method="POST", path=f"{API}/jobs", read=_job, upload=upload, repeatable=True,
        form=text_of({
            "language": language, "prompt": prompt, "hot_words": ",".join(hot_words),
            "words": words, "purifier": purifier, "type": type, "priority": priority,
            "requires": ",".join(requires) or None,
            "run_at": run_at,
        }),
        headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex},
    )  # fmt: skip


def list_jobs(
    *, q: str = "", status: str | None = None, sort: Sort | None = None, limit: int = 50,
    cursor: str = "",
) -> Call[JobsPage]:  # fmt: skip
    """One page of jobs: those of a status, or with these words in their name."""
    query = {"q": q, "status": status, "sort": sort, "limit": limit, "cursor": cursor}
    return get("/jobs", _page, query=query)


def get_job(job_id: str) -> Call[Job]:
    """A job with its chunks, and with its transcript when it has one."""
    return get(_of(job_id), _job)


def delete_job(job_id: str) -> Call[Job]:
    """Delete a job, whatever its state, with its sound and transcript."""
    return send("DELETE", _of(job_id), _job)


def cancel_job(job_id: str) -> Call[Job]:
    """End a job that has not ended yet."""
    return send("POST", f"{_of(job_id)}/cancel", _job)


def retry_job(job_id: str) -> Call[Job]:
    """Start a failed job again; only what is missing will be done."""
    return send("POST", f"{_of(job_id)}/retry", _job)


def pin_job(job_id: str, *, pinned: bool = True) -> Call[Job]:
    """Keep a finished job beyond its hour, or let it expire again."""
    return send("POST", f"{_of(job_id)}/pin", _job, {"pinned": pinned}, repeatable=True)


def get_transcript(
    job_id: str, form: Form = "txt", *, edited: bool = False, words: bool = False,
    rules: bool = False, line_chars: int | None = None, lines: int | None = None,
    max_s: float | None = None, min_s: float | None = None, gap_ms: int | None = None,
    chars_per_s: float | None = None,
) -> Call[str]:  # fmt: skip
    """What was said, in one of the formats; as people have edited it, or as it was heard.

    With ``words`` JSON has the times of single words. With ``rules``, or one of the limits
    that follow it, subtitles have the short lines that broadcasters want.
    """
    query = {
        "edited": edited or None, "words": words or None, "rules": rules or None,
        "line_chars": line_chars, "lines": lines, "max_s": max_s, "min_s": min_s,
        "gap_ms": gap_ms, "chars_per_s": chars_per_s,
    }  # fmt: skip
    return get(f"{_of(job_id)}/transcript.{quoted(form)}", text, query=query)


def search_transcripts(*, q: str, limit: int = 50, cursor: str = "") -> Call[SaidPage]:
    """One page of the places where all these words were said near each other."""
    query = {"q": q, "limit": limit, "cursor": cursor}
    return get("/transcripts/search", answers(SaidPage), query=query)


def export_jobs(
    form: Form = "txt", *, job_ids: Sequence[str] = (), q: str = "", status: str | None = None,
    sort: Sort | None = None, edited: bool = False, words: bool = False, rules: bool = False,
) -> Call[bytes]:  # fmt: skip
    """A zip with the transcripts of completed jobs: those that are found, at most a thousand.

    Or of the jobs with these ids, at most 200; of those not completed it says so.
    """
    query = {
        "format": form, "ids": ",".join(job_ids), "q": q, "status": status, "sort": sort,
        "edited": edited or None, "words": words or None, "rules": rules or None,
    }  # fmt: skip
    return get("/jobs/export", content, query=query)


def get_output(job_id: str) -> Call[bytes]:
    """The file that a job of another type than recordings led to."""
    return get(f"{_of(job_id)}/output", content)


def get_purifier() -> Call[Purifier]:
    """Whether one's recordings are cleaned unless asked otherwise."""
    return get("/preferences/purifier", _purifier)


def set_purifier(use_purifier: bool) -> Call[Purifier]:
    """Say whether one's recordings are to be cleaned unless asked otherwise."""
    body = {"usePurifier": use_purifier}
    return send("POST", "/preferences/purifier", _purifier, body, repeatable=True)


def _of(job_id: str) -> str:
    return f"/jobs/{quoted(job_id)}"
