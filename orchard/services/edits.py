"""Edits of a transcript's text by hand, kept beside what was heard."""

from __future__ import annotations

import unicodedata
from datetime import datetime

import msgspec

from orchard import keys
from orchard.domain.errors import InvalidInput, TextChanged, TransitionRefused, UnknownJob
from orchard.domain.lifecycle import JobStatus
from orchard.domain.timeline import Transcript
from orchard.repository import find_job, job_cell
from orchard.services import queries
from orchard.services.limits import keeping
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, read, transact

LONGEST = 5_000
"""Longest text of one line, in characters."""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody made of a line."""

    text: str
    by: str
    at: datetime


def edit_line(job_id: str, start_ms: int, text: str, *, was: str, by: str) -> Steps[Edit | None]:
    """Put another text beside a line; ``None`` when it is again what was heard.

    ``was`` is the text that the editor saw.

    Raises:
        UnknownJob: there is no such job.
        TransitionRefused: it has no whole transcript yet.
        InvalidInput: there is no such line, or the text will not do.
        TextChanged: somebody else has edited the line since; says what it is now.
    """
    wanted = check_text(text)
    view = yield from queries.get_transcript(job_id)
    heard = next((one.text for one in view.transcript.segments if one.start_ms == start_ms), None)
    if heard is None:
        raise InvalidInput("start_ms", "no line begins there")
    original, cell = heard, ops.Field(keys.edits(job_id), str(start_ms))

    def decide(seen: Seen, at: datetime) -> Decision[Edit | None]:
        job, raw = find_job(seen, job_id), seen[cell]
        if job is None:
            raise UnknownJob
        if job.status is not JobStatus.COMPLETED:
            raise TransitionRefused(f"the job is {job.status}", status=str(job.status))
        now_text = _decode(raw).text if raw else original
        if now_text != was:
            raise TextChanged(text=now_text)
        kept = None if job.pinned else keeping().job_ttl_ms
        if wanted == original:
            return Decision(None, (ops.HashDelete(cell.key, (cell.name,)),))
        edit = Edit(text=wanted, by=by, at=at)
        fields = ops.HashSet(cell.key, {cell.name: msgspec.json.encode(edit)})
        return Decision(edit, (fields, ops.Expire(cell.key, kept)))

    return (yield from transact([job_cell(job_id), cell], decide))


def get_edits(job_id: str) -> Steps[dict[int, Edit]]:
    """The edits of a job's transcript, by where their lines begin."""
    (fields,) = yield from read(ops.WholeHash(keys.edits(job_id)))
    return {int(name): _decode(raw) for name, raw in fields.items()}


def apply_edits(transcript: Transcript, edits: dict[int, Edit]) -> Transcript:
    """The transcript with its edits in place; the words of an edited line are no longer timed."""
    lines = [
        msgspec.structs.replace(one, text=edits[one.start_ms].text, words=())
        if one.start_ms in edits
        else one
        for one in transcript.segments
    ]
    return msgspec.structs.replace(transcript, segments=tuple(lines))


def check_text(text: str) -> str:
    """The text of a line, on one line.

    Raises:
        InvalidInput: it is empty, too long, or has control characters.
    """
    one = " ".join(text.split())
    if not one or len(one) > LONGEST:
        raise InvalidInput("text", f"must have from 1 to {LONGEST} characters")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in one):
        raise InvalidInput("text", "must not contain control characters")
    return one


def _decode(raw: bytes) -> Edit:
    return msgspec.json.decode(raw, type=Edit)
