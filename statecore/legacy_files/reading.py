"""Reading a whole state directory: each file by its kind, and each entry from the newest kind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from statecore import codec
from statecore.domain.errors import InvalidInput
from statecore.domain.lifecycle import PROCESSED
from statecore.legacy_files.old_files import BARE_LIST, OLD_KINDS, read_old, read_unified
from statecore.legacy_files.plan import FilePlan, Item, Note, Plan, Planned, Unreadable

UNIFIED = "unified"
_PREFIX, _SUFFIX = "unified-", ".json"


def read_directory(directory: Path, *, with_unified: bool = True) -> Plan:
    """What a state directory holds; a damaged file is told of, and the others go on.

    Raises:
        OSError: the directory cannot be read.
    """
    chosen: dict[tuple[str, str], Planned] = {}
    files, notes = list[FilePlan](), list[Note]()
    names = sorted(path.name for path in directory.iterdir() if path.is_file())
    for name in list_state_files(names, with_unified=with_unified):
        plan, items = _read_file(directory / name)
        files.append(plan)
        notes += _notes(name, items)
        for item in (item for item in items if not item.refused):
            notes += _choose(chosen, Planned(
                namespace=item.namespace, key=item.key, raw=item.raw, file=name
            ))  # fmt: skip
    return Plan(
        entries=tuple(chosen.values()), files=tuple(files), notes=tuple(notes),
        requests=_count_requests(directory), unknown=tuple(_unknown(names)),
    )  # fmt: skip


def list_state_files(names: list[str], *, with_unified: bool = True) -> Iterator[str]:
    """Which of these are state files: older kinds first, so that the unified ones have the say."""
    yield from (name for name in OLD_KINDS if name in names)
    if with_unified:
        yield from (name for name in names if _namespace(name) is not None)


def _read_file(path: Path) -> tuple[FilePlan, list[Item]]:
    kind = path.name.removesuffix(_SUFFIX) if path.name in OLD_KINDS else UNIFIED
    try:
        data = path.read_bytes()
        namespace = _namespace(path.name)
        if not data.strip():
            raise Unreadable("is empty")
        items = read_unified(namespace, data) if namespace else read_old(path.name, data)
    except (Unreadable, OSError) as fault:
        return FilePlan(file=path.name, kind=kind, damaged=str(fault)), []
    digest = hashlib.sha256(data).hexdigest()
    return FilePlan(file=path.name, kind=kind, entries=len(items), sha256=digest), items


def _namespace(name: str) -> str | None:
    """The namespace whose file this is."""
    if not (name.startswith(_PREFIX) and name.endswith(_SUFFIX)) or len(name) <= 13:
        return None
    return unquote(name[len(_PREFIX) : -len(_SUFFIX)], errors="surrogateescape")


def _notes(file: str, items: list[Item]) -> Iterator[Note]:
    for item in items:
        if item.refused:
            yield Note(file=file, key=item.key, what=item.refused, is_refused=True)
        for what in item.notes:
            yield Note(file=file, key=item.key, what=what)


def _choose(chosen: dict[tuple[str, str], Planned], one: Planned) -> Iterator[Note]:
    """Let the entry of the newer kind of file stand; say so when they disagree."""
    place = one.namespace, one.key
    before = chosen.get(place)
    chosen[place] = one
    if before is not None and _disagree(before, one):
        what = f"{one.file} says something else, and has the say"
        yield Note(file=before.file, key=one.key, what=what)


def _disagree(old: Planned, new: Planned) -> bool:
    said, says = _value(old), _value(new)
    if old.file == BARE_LIST and isinstance(says, dict):  # it says of an issue only that it is done
        return says.get("status") not in PROCESSED
    return bool(said != says)


def _value(one: Planned) -> Any:
    try:
        return codec.decode_json(one.raw)
    except InvalidInput:
        return one.raw


def _count_requests(directory: Path) -> int:
    return sum(1 for _ in (directory / "requests").glob("label-update-*.json"))


def _unknown(names: list[str]) -> Iterator[str]:
    for name in names:
        is_known = name in OLD_KINDS or _namespace(name) is not None
        if name.endswith(_SUFFIX) and not is_known:
            yield name
