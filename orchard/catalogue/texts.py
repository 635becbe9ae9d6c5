"""How names are compared: without capitals, and wide or narrow forms of letters."""

from __future__ import annotations

from orchard.logbook.terms import fold, parse_words

__all__ = ["contains", "fold_job", "parse_words"]

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
