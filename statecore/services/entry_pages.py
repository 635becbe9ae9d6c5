"""Pages of a namespace's entries: of a small one as a whole, of a large one by its index.

The hash of a namespace belongs to other programs, too, and has no order. An
index of its keys beside it changes with our own commits; whenever its size is
another than the hash's, it is made anew, and a key that stands for nothing is
dropped when it is met. So a page of a million entries costs what one of some
thousands does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from statecore import keys
from statecore.domain.entries import Entry
from statecore.domain.names import check_name
from statecore.repository import entry_cells, find_entry
from statecore.store import ops
from statecore.store.steps import Seen, Steps, commit, read, scan_index

SMALL = 2_000
"""A namespace of so many entries is read as a whole, and numbers in keys count as numbers."""
LOOKED_AT = 2_000
"""Most entries of a large namespace that one page looks at for a text."""
BATCH = 500
_DIGITS = re.compile(r"(\d+)", re.ASCII)


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries of a namespace, in the order of their keys."""

    entries: list[Entry]
    total: int
    """How many entries the namespace has."""
    found: int | None
    """How many of them are of those looked for; ``None`` when not all were looked at."""
    next: str = ""
    """The key after which the next page begins; empty on the last one."""
    first: bool = True


def page_entries(
    namespace: str, *, search: str = "", after: str = "", limit: int = 50
) -> Steps[EntryPage]:
    """A page of a namespace; ``search`` is looked for in keys and values, in any case.

    Raises:
        InvalidInput: the namespace cannot be a name.
    """
    check_name("namespace", namespace)
    (size,) = yield from read(ops.Size(keys.state(namespace)))
    if int(size) <= SMALL:
        return (yield from _small_page(namespace, search, after, limit))
    return (yield from _large_page(namespace, int(size), search, after, limit))


def _small_page(namespace: str, search: str, after: str, limit: int) -> Steps[EntryPage]:
    (values,) = yield from read(ops.WholeHash(keys.state(namespace)))
    names = sorted(_matching(values, search), key=_order)
    rest = [name for name in names if not after or _order(name) > _order(after)]
    shown = rest[:limit]
    versions = yield from read(*(entry_cells(namespace, name)[1] for name in shown))
    seen: dict[ops.Cell, bytes | None] = {}
    for name, version in zip(shown, versions, strict=True):
        value_cell, version_cell = entry_cells(namespace, name)
        seen |= {value_cell: values[name], version_cell: version}
    return EntryPage(
        entries=_entries(seen, namespace, shown), total=len(values), found=len(names),
        first=len(rest) == len(names), next=shown[-1] if len(rest) > limit else "",
    )  # fmt: skip


def _large_page(namespace: str, size: int, search: str, after: str, limit: int) -> Steps[EntryPage]:
    index = keys.entries(namespace)
    (known,) = yield from read(ops.Count(index))
    if known != size:
        yield from _make_index(namespace)
    found: list[Entry] = []
    last, looked, at_end = after, 0, False
    while len(found) <= limit and looked < (LOOKED_AT if search else limit + 1) and not at_end:
        batch = BATCH if search else limit + 1
        names = yield from _names_after(index, last, batch)
        seen = yield from _read_entries(namespace, names)
        yield from _drop_strays(namespace, [n for n in names if not _holds(seen, namespace, n)])
        found += [one for one in _entries(seen, namespace, names) if _holds_text(one, search)]
        looked, last, at_end = looked + len(names), names[-1] if names else last, len(names) < batch
    shown = found[:limit]
    if len(found) > limit:
        last = shown[-1].key
    return EntryPage(
        entries=shown, total=size, found=None if search else size, first=not after,
        next="" if at_end and len(found) <= limit else last,
    )  # fmt: skip


def _names_after(index: str, after: str, limit: int) -> Steps[list[str]]:
    page = yield from scan_index(index, limit, after=(0.0, after) if after else None)
    return [name for name, _ in page]


def _read_entries(namespace: str, names: Sequence[str]) -> Steps[Seen]:
    cells = [cell for name in names for cell in entry_cells(namespace, name)]
    return dict(zip(cells, (yield from read(*cells)), strict=True)) if cells else {}


def _make_index(namespace: str) -> Steps[None]:
    """Make the index of a namespace anew; what others write meanwhile is met later."""
    index = keys.entries(namespace)
    (values,) = yield from read(ops.WholeHash(keys.state(namespace)))
    names = list(values)
    yield from commit({}, ops.Delete((index,)))
    for start in range(0, len(names), BATCH):
        places = dict.fromkeys(names[start : start + BATCH], 0.0)
        yield from commit({}, ops.SortedAdd(index, places))


def _drop_strays(namespace: str, names: Sequence[str]) -> Steps[None]:
    """Take keys out of the index that stand for nothing, as far as they still do not."""
    for name in names:
        stray = ops.SortedRemove(keys.entries(namespace), (name,))
        yield from commit({entry_cells(namespace, name)[0]: None}, stray)


def _holds(seen: Seen, namespace: str, name: str) -> bool:
    return seen[entry_cells(namespace, name)[0]] is not None


def _entries(seen: Seen, namespace: str, names: Sequence[str]) -> list[Entry]:
    found = (find_entry(seen, namespace, name) for name in names)
    return [entry for entry in found if entry]


def _matching(values: dict[str, bytes], search: str) -> Iterator[str]:
    return (key for key, raw in values.items() if _has_text(key, raw, search))


def _holds_text(entry: Entry, search: str) -> bool:
    return _has_text(entry.key, entry.raw, search)


def _has_text(key: str, raw: bytes, search: str) -> bool:
    wanted = search.casefold()
    return (
        not wanted
        or wanted in key.casefold()
        or wanted in raw.decode("utf-8", "replace").casefold()
    )


def _order(key: str) -> list[tuple[int, str]]:
    """Numbers in keys count as numbers: 9 stands before 10."""
    parts = _DIGITS.split(key)
    return [(int(part[:18]) if n % 2 else -1, part) for n, part in enumerate(parts)]
