"""An examination of all of the state, on live data, in bounded memory.

Everything is looked at once, page by page. What looks wrong is looked at
again, twice, after a moment each and with its relatives in one read: only what
is wrong in the same way each time is a finding. So work that goes on meanwhile
raises no false alarm.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

import msgspec

from orchard.services.doctor import SIDE as ORCHARD
from orchard.services.doctor import walk_folders
from orchard.services.doctor.catalogue import FOLDER, JOB, RECORDING
from statecore.services.doctor import SIDE as STATE
from statecore.services.doctor import KeyExaminer
from statecore.store.base import Store
from statecore.store.errors import WrongType
from statecore.store.findings import Examiner, Finding, Listing, Subject, match
from statecore.store.walking import KeyFact, look_at, walk_keys, walk_members

SIDES = (ORCHARD, STATE)
RULES = tuple(rule for side in SIDES for rule in side.rules)
SYMPTOMS = {**ORCHARD.symptoms, **STATE.symptoms}
EXAMINERS: dict[str, Examiner] = {
    one.kind: one for side in SIDES for one in (*side.examiners, KeyExaminer(RULES))
}

PAGE = 500
SUSPECTS = 2_000
"""So many are looked at again together, so that one pause serves for all."""
LOOKS = 2
PAUSE_S = 0.5
KEPT = 20
"""So many findings of each code are told one by one; the others are counted."""

Progress = Callable[[str, int], None]
"""Told what is looked at, and how many things of it have been."""


class Report(msgspec.Struct, kw_only=True):
    """What an examination has found."""

    counts: dict[str, int]
    """How often each code was found."""
    findings: list[Finding]
    """The first ``KEPT`` of each code."""
    looked_at: dict[str, int]
    """How many keys, list entries and folders were looked at."""
    mended: dict[str, int]
    seconds: float

    @property
    def faults(self) -> int:
        """How much is wrong; what is only worth knowing does not count."""
        return sum(n for code, n in self.counts.items() if not SYMPTOMS[code].is_note)

    @property
    def can_mend(self) -> bool:
        """Whether a repair would change something."""
        return any(finding.repair for finding in self.findings)


def quiet(what: str, count: int) -> None:
    """Tell nobody."""


def examine(
    store: Store, *, mend: bool = False, progress: Progress = quiet, pause_s: float = PAUSE_S,
    files: bool = True,
) -> Report:  # fmt: skip
    """Look at everything; with ``mend`` what is wrong is put right as it is found.

    Raises:
        EngineAway: the engine cannot be reached (any more).
    """
    began = time.monotonic()
    counts, mended, kept = Counter[str](), Counter[str](), list[Finding]()
    looked_at = Counter[str]()
    for confirmed in _confirmed(store, _suspects(store, looked_at, progress, files), pause_s):
        for finding in confirmed:
            counts[finding.code] += 1
            if counts[finding.code] <= KEPT:
                kept.append(finding)
        if mend:
            mended.update(_mend(store, confirmed))
    return Report(
        counts=dict(counts), findings=kept, looked_at=dict(looked_at), mended=dict(mended),
        seconds=round(time.monotonic() - began, 2),
    )  # fmt: skip


def repair(
    store: Store, *, progress: Progress = quiet, pause_s: float = PAUSE_S, rounds: int = 4,
    files: bool = True,
) -> tuple[dict[str, int], Report]:  # fmt: skip
    """Mend until nothing is left that can be mended; how often what was, and what is left.

    It takes several rounds when one thing is made anew from another: a queue from its jobs.
    """
    mended = Counter[str]()
    for _ in range(rounds):
        report = examine(store, mend=True, progress=progress, pause_s=pause_s, files=files)
        mended.update(report.mended)
        if not report.mended:
            break
    left = examine(store, progress=progress, pause_s=pause_s, files=files)
    return dict(mended), left


# -- first looks --------------------------------------------------------------------


def _suspects(
    store: Store, looked_at: Counter[str], progress: Progress, files: bool
) -> Iterator[list[Subject]]:
    """What looks wrong at a first look, page by page."""
    for facts in walk_keys(store, PAGE):
        yield _first_look(store, facts, files)
        _count(looked_at, "keys", len(facts), progress)
    for side in SIDES:
        for listing in side.listings(store):
            for names in _walk_listing(store, listing):
                yield _unmatched(store, listing, names)
                _count(looked_at, "list entries", len(names), progress)
    for names in walk_folders(PAGE) if files else ():
        yield _look(store, FOLDER, names)
        _count(looked_at, "folders", len(names), progress)


def _count(looked_at: Counter[str], what: str, number: int, progress: Progress) -> None:
    looked_at[what] += number
    progress(what, looked_at[what])


def _first_look(store: Store, facts: Sequence[KeyFact], files: bool) -> list[Subject]:
    """What looks wrong about some keys, and about the things they belong to."""
    keys = EXAMINERS["key"]
    assert isinstance(keys, KeyExaminer)  # noqa: S101  # so it was made above
    found = [finding.subject for fact in facts for finding in keys.judge(fact)]
    named: dict[str, dict[str, None]] = {}
    for fact in facts:
        known = match(RULES, fact)
        if known and known[0].subject and known[0].kind == fact.kind:
            named.setdefault(known[0].subject, {})[known[1]] = None
    if files and JOB in named:
        named[RECORDING] = named[JOB]
    for kind, names in named.items():
        found += _look(store, kind, list(names))
    return found


def _look(store: Store, kind: str, names: Sequence[str]) -> list[Subject]:
    return [finding.subject for finding in _findings(store, kind, names)]


def _findings(store: Store, kind: str, names: Sequence[str]) -> list[Finding]:
    """What is wrong with these; what needs a key of another type is left out until that is mended.

    That key is a finding of its own.
    """
    try:
        return EXAMINERS[kind].look(store, names)
    except WrongType:
        if len(names) == 1:
            return []
        return [found for name in names for found in _findings(store, kind, [name])]


def _walk_listing(store: Store, listing: Listing) -> Iterator[list[str]]:
    try:
        if listing.kind == "sorted set":
            yield from _walk_sorted(store, listing.key)
        else:
            yield from walk_members(store, listing.key, listing.kind, PAGE)
    except WrongType:
        return  # found among the keys


def _walk_sorted(store: Store, key: str) -> Iterator[list[str]]:
    after: tuple[float, str] | None = None
    while page := store.scan_index(key, PAGE, after=after):
        yield [member for member, _ in page]
        after = (page[-1][1], page[-1][0])


def _unmatched(store: Store, listing: Listing, names: Sequence[str]) -> list[Subject]:
    """Members of a list that it should not have."""
    if listing.record is None:
        subjects = [listing.subject(name) for name in names]
        kinds = {subject.kind for subject in subjects}
        return [
            found
            for kind in kinds
            for found in _look(store, kind, [s.name for s in subjects if s.kind == kind])
        ]
    facts = look_at(store, [listing.record(name) for name in names])
    return [listing.subject(name) for name, fact in zip(names, facts, strict=True) if not fact.kind]


# -- second looks, and mending ----------------------------------------------------------


def _confirmed(
    store: Store, pages: Iterable[list[Subject]], pause_s: float
) -> Iterator[list[Finding]]:
    """Findings that stay, of many suspects at a time; no subject is told of twice in a batch."""
    waiting: dict[Subject, None] = {}
    for page in pages:
        waiting |= dict.fromkeys(page)
        if len(waiting) >= SUSPECTS:
            yield _look_again(store, list(waiting), pause_s)
            waiting = {}
    if waiting:
        yield _look_again(store, list(waiting), pause_s)


def _look_again(store: Store, subjects: Sequence[Subject], pause_s: float) -> list[Finding]:
    found: dict[Finding, None] = {}
    for look in range(LOOKS):
        time.sleep(pause_s)
        names = {(one.kind, one.name) for one in subjects}
        seen = {f: None for kind, name in names for f in _findings(store, kind, [name])}
        found = {finding: None for finding in seen if look == 0 or finding in found}
        subjects = list({finding.subject for finding in found})
    return sorted(found, key=lambda each: (each.code, each.where))


def _mend(store: Store, confirmed: Sequence[Finding]) -> Counter[str]:
    mended = Counter[str]()
    for subject in dict.fromkeys(finding.subject for finding in confirmed if finding.repair):
        with suppress(WrongType):
            for done in EXAMINERS[subject.kind].mend(store, subject.name):
                mended[done.code] += 1
    return mended
