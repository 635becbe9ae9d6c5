"""How names are compared: without capitals, and wide or narrow forms of letters."""

from __future__ import annotations

from orchard.logbook.terms import MARK, expression, fold, marks, parse_words

__all__ = ["contains", "expression_of", "fold", "fold_job", "marks_of", "parse_words"]

NAME_MAX = 400
"""A folded name is cut there: some single letters fold to eighteen, and indexes have limits."""


def fold_job(filename: str, job_id: str) -> str:
    """The text that a job is found by, which sorts as its name does."""
    name = " ".join(fold(filename).split())[:NAME_MAX]
    return f"{name}\n{fold(job_id)}\n"


def contains(filename: str, job_id: str, words: tuple[str, ...]) -> bool:
    """Whether a job is one of those that a search asks for."""
    text = fold_job(filename, job_id)
    return all(word in text for word in words)


def marks_of(folded: str) -> str:
    """What the index is given besides, for words of one or two characters."""
    letters = sorted({char for char in folded if char.isascii() and char.isprintable()} - {" "})
    return marks(folded) + "".join(_letter(char) for char in letters)


def expression_of(words: tuple[str, ...]) -> str:
    """The question to the index; each of the words takes part in it."""
    long = expression((word for word in words if not _is_letter(word)), ())
    letters = [
        f'"{_letter(word).replace(chr(34), chr(34) * 2)}"' for word in words if _is_letter(word)
    ]
    return " AND ".join(filter(None, [long, *letters]))


def _letter(char: str) -> str:
    return f"{char}{MARK}{MARK}"


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isascii()
