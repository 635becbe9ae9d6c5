"""How lines are found: the terms under which the index knows a line, and those a search asks for.

The index (SQLite's FTS5 with trigrams, PostgreSQL's GIN) holds every three characters that stand
beside each other, which finds any part of a word in any language. Two kinds of
terms are added: pairs and single characters of texts that are not ASCII, as two
characters are a word in Japanese; and the facts of a line (its worker, job,
level…), each as three characters that no text contains. So text and facts are
one question to one index. Hits are looked at again before they are shown: a
term only has to find too much, never too little.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from orchard.logbook.lines import LEVELS, Line

MARK = "\x01"
_PRIVATE = 0xE000
"""Characters from here on belong to nobody; 4096 of them are the alphabet of facts."""
_TERMS_MAX = 24
_ENDS = "".join(sorted({*string.printable.lower()} - {"\x0b", "\x0c", "\r"}))
"""What may follow a pair of letters inside an ASCII text."""

Choice = tuple[str, ...]
"""Terms of which a line must have one."""


def fold(text: str) -> str:
    """A text as it is compared: no capitals, no wide or narrow forms of letters."""
    if text.isascii():
        return text.lower().replace("\0", " ").replace(MARK, " ")
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded.replace("\0", " ").replace(MARK, " ")


def parse_words(text: str) -> tuple[str, ...]:
    """The words of a search; a line must contain all of them. No sign has a meaning of its own."""
    return tuple(dict.fromkeys(fold(text).split()))


def texts_of(line: Line) -> str:
    """All that can be searched of a line, folded."""
    issue = f"#{line.issue}" if line.issue is not None else ""
    names = (line.logger, line.process, line.worker, line.job, issue)
    return fold("\n".join([line.message, *filter(None, names), *_leaves(line.fields)]))


def has_words(line: Line, words: Iterable[str]) -> bool:
    """Whether all the words are somewhere in a line; an index only finds where they may be."""
    text = texts_of(line)
    return all(word in text for word in words)


def indexed(line: Line) -> str:
    """What the index is given of a line."""
    text = texts_of(line) + "\n"
    return text + marks(text) + "".join(_codes(line))


def marks(text: str) -> str:
    """What the index is given beside a text, for words of one or two characters."""
    return "".join(_mark_terms(text))


def terms_of(line: Line) -> set[str]:
    """The terms of a line, for an index that is given them one by one."""
    text = texts_of(line) + "\n"
    trigrams = {text[i : i + 3] for i in range(len(text) - 2)}
    return trigrams | {*_mark_terms(text)} | {*_codes(line)}


def wanted(words: Iterable[str], facts: Iterable[tuple[str, str | int]]) -> list[Choice]:
    """The question to the index: of each choice a line has one term; none when it cannot help."""
    choices = [choice for word in words for choice in _word_choices(word)]
    for kind, value in facts:
        known = level_facts(int(value)) if kind == "level" else [(kind, value)]
        choices += [(code(*fact),) for fact in known]
    return choices


def expression(words: Iterable[str], facts: Iterable[tuple[str, str | int]]) -> str:
    """The question as FTS5 is asked it."""
    return " AND ".join(_any_of(choice) for choice in wanted(words, facts))


def code(kind: str, value: object) -> str:
    """The three characters that stand for a fact. Others may share them, so hits are checked."""
    number = int.from_bytes(blake2b(f"{kind}:{value}".encode(), digest_size=5).digest())
    return "".join(chr(_PRIVATE + (number >> shift & 0xFFF)) for shift in (0, 12, 24))


def level_facts(level: int) -> list[tuple[str, str | int]]:
    """The fact that a line is at least this grave; nothing below the second step."""
    reached = [least for least in LEVELS.values() if LEVELS["debug"] < least <= level]
    return [("level", reached[-1])] if reached else []


def _codes(line: Line) -> Iterator[str]:
    for kind in ("process", "worker", "job"):
        if value := getattr(line, kind):
            yield code(kind, value)
    if line.issue is not None:
        yield code("issue", line.issue)
    for least in LEVELS.values():
        if LEVELS["debug"] < least <= line.level:
            yield code("level", least)


def _mark_terms(text: str) -> Iterator[str]:
    if text.isascii():
        return
    pairs = {text[i : i + 2] for i in range(len(text) - 2) if not text[i : i + 3].isascii()}
    yield from (f"{pair}{MARK}" for pair in pairs)
    yield from (f"{one}{MARK}{MARK}" for one in {*text} if not one.isascii())


def _word_choices(word: str) -> list[Choice]:
    if len(word) > 2:
        return [(term,) for term in _spread(word)]
    if len(word) == 2:
        return [tuple(word + end for end in [MARK, *(_ENDS if word.isascii() else "")])]
    return [] if word.isascii() else [(word + MARK + MARK,)]


def _spread(word: str) -> list[str]:
    """The trigrams of a word; of a long one as many as are needed to be sure enough."""
    grams = list(dict.fromkeys(word[i : i + 3] for i in range(len(word) - 2)))
    step = -(-len(grams) // _TERMS_MAX)
    return grams[::step]


def _any_of(choice: Choice) -> str:
    parts = " OR ".join(map(_quoted, choice))
    return f"({parts})" if len(choice) > 1 else parts


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and value != "":
        yield str(value)
