"""What a doctor finds wrong with the state, and how those who look for it are built.

An examiner knows one kind of thing (a job, an issue, …). Its judgement is a
pure function of a snapshot; looking and mending stand around that.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from statecore.store.base import Store
from statecore.store.walking import KeyFact


class Subject(NamedTuple):
    """A thing that can be looked at: its kind, and its name among those."""

    kind: str
    name: str


class Finding(Struct, frozen=True):
    """One thing that is not as it must be."""

    code: str
    kind: str
    where: str
    """The name of the job, issue, key … that is meant."""
    what: str
    """What is wrong, in one sentence."""
    repair: str
    """What a repair does; empty when nothing can be done without a person."""
    is_note: bool = False
    """Worth knowing, but nothing is wrong with the state."""

    @property
    def subject(self) -> Subject:
        """What was looked at."""
        return Subject(self.kind, self.where)


class Symptom(NamedTuple):
    """What a code stands for."""

    meaning: str
    repair: str = ""
    is_note: bool = False


Symptoms = Mapping[str, Symptom]


class KeyRule(NamedTuple):
    """What keys of one pattern must be like."""

    pattern: re.Pattern[str]
    kind: str
    """Its type, as the documents call it; ``string`` … ``stream``."""
    lives: str = "for ever"
    """``for ever``, ``for a while``, or ``either``."""
    most_ms: int = 0
    """How long it may live at most, when that is known."""
    subject: str = ""
    """The kind of thing that the first part of the name names."""
    is_derived: bool = False
    """Whether all that it holds follows from records, so that it can be made anew."""


class Listing(NamedTuple):
    """A collection whose members are names of things."""

    key: str
    kind: str
    subject: Callable[[str], Subject]
    record: Callable[[str], str] | None = None
    """The key of the record; ``None``: each member must be looked at."""


class Examiner(ABC):
    """Knows what things of one kind must be like."""

    kind: str

    @abstractmethod
    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """What is wrong with these things at this moment; each is read with its relatives."""

    @abstractmethod
    def mend(self, store: Store, name: str) -> list[Finding]:
        """Mend what is wrong with one thing, if it still is; what was mended."""


class Side(NamedTuple):
    """All that one side of the state knows of itself."""

    examiners: Sequence[Examiner]
    rules: Sequence[KeyRule]
    listings: Callable[[Store], Iterable[Listing]]
    symptoms: Symptoms


def rule(
    make: Callable[..., str] | str, kind: str, lives: str = "for ever", *, most_ms: int = 0,
    subject: str = "", is_derived: bool = False, parts: int = 1,
) -> KeyRule:  # fmt: skip
    """The rule for the keys that a function of the catalogue makes, or for a single one."""
    name = make if isinstance(make, str) else make(*["\0"] * parts)
    pattern = re.compile("(.*)".join(map(re.escape, name.split("\0"))), re.DOTALL)
    return KeyRule(pattern, kind, lives, most_ms, subject, is_derived)


def match(rules: Iterable[KeyRule], fact: KeyFact) -> tuple[KeyRule, str] | None:
    """The first rule for a key, and the first part of its name."""
    for one in rules:
        if found := one.pattern.fullmatch(fact.name):
            return one, found[1] if one.pattern.groups else ""
    return None
