"""Passages of transcripts: what is kept of them to be searched, and what is found.

Where transcripts are sealed at rest, none of them is kept here, and none can be searched.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import msgspec
from django.db import connections, transaction

from orchard.catalogue import passage_index
from orchard.catalogue.models import CataloguedJob, Passage
from orchard.catalogue.texts import fold, marks_of
from orchard.codec import UNREADABLE
from orchard.domain.errors import InvalidInput, OrchardError, StorageAway, UnknownJob
from orchard.domain.timeline import Line
from orchard.page_places import make_place, read_place
from orchard.services import edits, queries, run
from statecore.sealing.site import Part, sealing_of_site

log = logging.getLogger("orchard.catalogue")

PASSAGE_CHARS, PASSAGE_MS = 400, 30_000
"""A passage ends with the line that makes it this long, in text or time."""
BATCH = 20
"""Transcripts that are read before the process looks at other things."""
_ORDER = "said"

Said = tuple[int, str]
"""When a line begins, and its text."""

_lines = msgspec.json.Decoder(list[Said])


class SearchOff(OrchardError):
    """Transcripts are sealed on this site, so that they cannot be searched."""

    code = "search_off"


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that has all the words."""

    job_id: str
    lines: list[Said]


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """One page of hits, what was said last first, and where the next page begins."""

    hits: list[Hit]
    next: str | None


def is_on() -> bool:
    """Whether transcripts are searched here at all."""
    sealing = sealing_of_site()
    return not (sealing.key_for(Part.TRANSCRIPTS) or sealing.key_for(Part.FILES))


def read_some(limit: int = BATCH) -> bool:
    """Read transcripts that are finished and were not read yet; true when some are left.

    Raises:
        StorageAway, EngineAway: they cannot be read now.
    """
    if not is_on():
        forget_all()
        return False
    unread = CataloguedJob.objects.filter(status="completed", text_read__isnull=True)
    ids = list(unread.order_by("created_ms").values_list("job_id", flat=True)[:limit])
    for job_id in ids:
        read_again(job_id)
    return len(ids) == limit


def read_again(job_id: str) -> None:
    """Keep what is said in a job's transcript as it is now, in place of what was kept before."""
    passages = [] if not is_on() else list(_divide(_read(job_id)))
    with transaction.atomic():
        row = CataloguedJob.objects.filter(job_id=job_id).first()
        if row is None:
            return
        Passage.objects.filter(job=row).delete()
        # Backwards, as the last that was kept is found first: a job then begins with its beginning.
        Passage.objects.bulk_create(passage_of(row, some) for some in reversed(passages))
        CataloguedJob.objects.filter(pk=row.pk).update(text_read=True)


def forget_all() -> None:
    """Drop all passages: the site's transcripts have been sealed since."""
    if Passage.objects.exists():
        with transaction.atomic():
            Passage.objects.all().delete()
            CataloguedJob.objects.filter(text_read=True).update(text_read=None)


def is_complete(using: str = "default") -> bool:
    """Whether everything that is finished was read, so that what is not found was not said."""
    unread = CataloguedJob.objects.using(using).filter(status="completed", text_read__isnull=True)
    return not unread.exists()


def find(words: tuple[str, ...], *, limit: int, cursor: str = "", using: str = "default") -> Hits:
    """One page of the passages that have all the words.

    Raises:
        SearchOff: transcripts are sealed here.
        InvalidInput: there are no words, or the cursor is none.
    """
    if not is_on():
        raise SearchOff
    if not words:
        raise InvalidInput("q", "say what to search for")
    connection = connections[using]
    text, values = passage_index.question(connection.vendor, words, _parse_cursor(cursor))
    with connection.cursor() as asked:
        asked.execute(text, [*values, limit + 1])
        rows = list(asked.fetchall())
    last = rows[limit - 1] if len(rows) > limit else None
    return Hits(
        hits=[Hit(job_id=row[1], lines=_lines.decode(row[2])) for row in rows[:limit]],
        next=make_place((_ORDER, "", last[0])) if last else None,
    )


def _read(job_id: str) -> Sequence[Line]:
    """What is said in a job; nothing when there is no transcript that could be read."""
    try:
        heard = run(queries.get_transcript(job_id)).transcript
        return edits.apply_edits(heard, run(edits.get_edits(job_id))).segments
    except StorageAway:
        raise
    except (UnknownJob, *UNREADABLE, OSError, OrchardError) as fault:
        log.warning("the transcript of job %s cannot be searched: %s", job_id, fault)
        return ()


def _divide(lines: Sequence[Line]) -> Iterator[list[Said]]:
    passage: list[Said] = []
    for line in lines:
        if passage and _is_full(passage, line.start_ms):
            yield passage
            passage = []
        passage.append((line.start_ms, " ".join(line.text.replace("\0", "").split())))
    if passage:
        yield passage


def _is_full(passage: Sequence[Said], next_ms: int) -> bool:
    is_long = sum(len(text) for _, text in passage) >= PASSAGE_CHARS
    return is_long or next_ms - passage[0][0] >= PASSAGE_MS


def passage_of(row: CataloguedJob, lines: list[Said]) -> Passage:
    """What is kept of some lines of a job."""
    folded = " ".join(fold("\n".join(text for _, text in lines)).split()) + "\n"
    return Passage(
        job=row, folded=folded, marks=marks_of(folded), lines=msgspec.json.encode(lines).decode()
    )


def _parse_cursor(cursor: str) -> int | None:
    if not cursor:
        return None
    try:
        order, _, number = read_place(cursor)
    except ValueError:
        raise InvalidInput("cursor", "not a cursor of this search") from None
    if order != _ORDER or not isinstance(number, int) or not 0 <= number < 2**63:
        raise InvalidInput("cursor", "not a cursor of this search")
    return number
