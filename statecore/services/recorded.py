"""Entries that come from a file: checked before anything is touched, then set as recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from statecore import codec
from statecore.domain.entries import Put, check_place
from statecore.domain.errors import InvalidInput, TooLarge, VersionConflict
from statecore.domain.names import check_depth
from statecore.repository import entry_cells, issue_number, last_version
from statecore.services.engine import get_limits
from statecore.services.namespaced import put_many
from statecore.store.errors import TooManyConflicts
from statecore.store.file_formats import NotJson, compact
from statecore.store.steps import MAX_TRIES, Seen, Steps, read

BATCH_ENTRIES = 200
BATCH_BYTES = 4_000_000
"""How much is set in one step."""

Place = tuple[str, str]
"""Namespace and key."""


class Recorded(msgspec.Struct, frozen=True):
    """An entry as a file has it; ``raw`` is its JSON text, without white space."""

    namespace: str
    key: str
    raw: bytes

    @property
    def place(self) -> Place:
        """Where it belongs."""
        return self.namespace, self.key


class Outcome(msgspec.Struct, frozen=True):
    """What became of entries: set anew, there already, or left as the engine has them."""

    new: tuple[Place, ...] = ()
    equal: tuple[Place, ...] = ()
    kept: tuple[Place, ...] = ()
    """The engine has another value, or has deleted it since."""
    replaced: tuple[Place, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(*(getattr(self, name) + getattr(other, name) for name in _FATES))


_FATES = ("new", "equal", "kept", "replaced")


def check(namespace: str, key: str, raw: bytes) -> Recorded:
    """An entry that can be set.

    Raises:
        InvalidInput: names the entry, and what is wrong with its place or value.
    """
    try:
        check_place(namespace, key)
        return Recorded(namespace, key, _checked(namespace, key, raw))
    except (InvalidInput, NotJson) as fault:
        raise InvalidInput(f"{namespace}/{key}"[:200], str(fault)) from None


def _checked(namespace: str, key: str, raw: bytes) -> bytes:
    most = get_limits().value_max_bytes
    if len(raw) > 2 * most:
        raise TooLarge("value", f"is {len(raw)} bytes of JSON; at most {most} are allowed")
    text = compact(raw)
    if len(text) > most:
        raise TooLarge("value", f"is {len(text)} bytes of JSON; at most {most} are allowed")
    check_depth("value", codec.decode_json(text))
    if number := issue_number(namespace, key):
        _check_issue(number, text)
    return text


def _check_issue(number: int, raw: bytes) -> None:
    """Refuse a record that has no place in the plain hashes."""
    issue = codec.decode_record(number, raw)
    try:
        codec.issue_hash(issue)
        codec.metadata_hash(issue.result)
    except UnicodeEncodeError:
        raise InvalidInput("value", "has half a character") from None


def batches(entries: Iterable[Recorded]) -> Iterator[list[Recorded]]:
    """Entries in portions that are set in one step each."""
    batch, size = list[Recorded](), 0
    for one in entries:
        if batch and (len(batch) >= BATCH_ENTRIES or size + len(one.raw) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one.raw)
    if batch:
        yield batch


def compare(
    batch: Sequence[Recorded], *, overwrite: bool = False, not_above: int | None = None
) -> Steps[Outcome]:
    """What would become of entries; see :func:`put_batch`."""
    cells = [cell for one in batch for cell in entry_cells(*one.place)]
    values = yield from read(*cells)
    seen: Seen = dict(zip(cells, values, strict=True))
    fates: dict[str, list[Place]] = {name: [] for name in _FATES}
    for one in batch:
        fates[_fate(one, seen, overwrite, not_above)].append(one.place)
    return Outcome(*(tuple(fates[name]) for name in _FATES))


def put_batch(
    batch: Sequence[Recorded], *, overwrite: bool = False, not_above: int | None = None
) -> Steps[Outcome]:
    """Set entries in one step; what is there already stays, unless ``overwrite`` is said.

    One that is not there, but had a version larger than ``not_above``, was
    deleted meanwhile and stays so.
    """
    for _ in range(MAX_TRIES):
        outcome = yield from compare(batch, overwrite=overwrite, not_above=not_above)
        wanted = {*outcome.new, *outcome.replaced}
        puts = [
            Put(namespace=one.namespace, key=one.key, raw=one.raw, if_absent=not overwrite)
            for one in batch
            if one.place in wanted
        ]
        try:
            if puts:
                yield from put_many(puts, as_recorded=True)
            return outcome
        except VersionConflict:
            continue  # somebody has just set one of them: it is compared again
    raise TooManyConflicts("The entries kept changing while they were set")


def _fate(one: Recorded, seen: Seen, overwrite: bool, not_above: int | None) -> str:
    raw = seen[entry_cells(*one.place)[0]]
    if raw is None:
        was_deleted = not_above is not None and last_version(seen, *one.place) > not_above
        return "kept" if was_deleted and not overwrite else "new"
    if is_same(raw, one.raw):
        return "equal"
    return "replaced" if overwrite else "kept"


def is_same(raw: bytes, text: bytes) -> bool:
    """Whether a value that an engine holds says the same as a text without white space."""
    try:
        return raw == text or compact(raw) == text
    except NotJson:
        return False
