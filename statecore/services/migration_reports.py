"""What a migration tells of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from statecore.legacy_files import FilePlan, Note, Plan
from statecore.services.recorded import Outcome, Place


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """One file: how many entries it held, and what became of them and of it."""

    file: str
    kind: str
    entries: int = 0
    new: int = 0
    equal: int = 0
    """There already: migrated before, or said by another file as well."""
    kept: int = 0
    """The engine has a later word."""
    replaced: int = 0
    overruled: int = 0
    """A newer kind of file has the say."""
    refused: int = 0
    why: str = ""
    """Why the file stays where it is; empty when it does not, or need not."""
    renamed_to: str = ""
    sha256: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether all that the file says is in the engine, or known there better."""
        return not (self.why or self.refused)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration did; ``outcome`` is migrated, already, nothing or dry-run."""

    state_dir: str
    store: str
    outcome: str
    files: list[FileReport] = []
    notes: list[Note] = []
    requests: int = 0
    unknown: list[str] = []

    @property
    def left(self) -> list[FileReport]:
        """Files that somebody must look at."""
        return [one for one in self.files if one.why]


def report_files(plan: Plan, outcome: Outcome, notes: Iterable[Note]) -> list[FileReport]:
    """What became of the entries of each file."""
    source: dict[Place, str] = {(one.namespace, one.key): one.file for one in plan.entries}
    fates: dict[str, Counter[str]] = {one.file: Counter() for one in plan.files}
    for name in ("new", "equal", "kept", "replaced"):
        for place in getattr(outcome, name):
            fates[source[place]][name] += 1
    for note in notes:
        if note.is_refused:
            fates[note.file]["refused"] += 1
    return [_report(one, fates[one.file]) for one in plan.files]


def _report(one: FilePlan, fate: Counter[str]) -> FileReport:
    why = f"damaged: {one.damaged}" if one.damaged else ""
    if fate["refused"]:
        why = f"{fate['refused']} of its entries cannot be taken over"
    return FileReport(
        file=one.file, kind=one.kind, entries=one.entries, why=why, sha256=one.sha256,
        overruled=one.entries - fate.total(), new=fate["new"], equal=fate["equal"],
        kept=fate["kept"], replaced=fate["replaced"], refused=fate["refused"],
    )  # fmt: skip
