"""The index of what was said: any part of a word, in any language, as in the index of names."""

from __future__ import annotations

from typing import Any

from orchard.catalogue.text_index import (
    execute,
    forget_in,
    grams_of,
    has_all,
    learn_in,
    terms_of,
)
from orchard.catalogue.texts import expression_of

TABLE = "catalogue_passage"
TERMS = "catalogue_said"

_DELETE, _INSERT = forget_in(TERMS), learn_in(TERMS)
_MADE = {
    "sqlite": (
        terms_of(TERMS, TABLE),
        f"CREATE TRIGGER {TERMS}_added AFTER INSERT ON {TABLE} BEGIN {_INSERT} END",
        f"CREATE TRIGGER {TERMS}_dropped AFTER DELETE ON {TABLE} BEGIN {_DELETE} END",
    ),
    "postgresql": (f"CREATE INDEX {TERMS} ON {TABLE} USING gin (catalogue_grams(folded))",),
}
_UNMADE = {
    "sqlite": (
        f"DROP TRIGGER {TERMS}_dropped", f"DROP TRIGGER {TERMS}_added", f"DROP TABLE {TERMS}",
    ),
    "postgresql": (f"DROP INDEX {TERMS}",),
}  # fmt: skip


def make(_apps: Any, editor: Any) -> None:
    """Make the index (a step of a migration)."""
    execute(editor, _MADE)


def unmake(_apps: Any, editor: Any) -> None:
    """Drop the index (a step of a migration, backwards)."""
    execute(editor, _UNMADE)


def question(vendor: str, words: tuple[str, ...], before: int | None) -> tuple[str, list[Any]]:
    """The passages that have all the words, the last one that was kept first."""
    older = " AND passage.id < %s" if before is not None else ""
    text = (
        f"SELECT passage.id, job.job_id, passage.lines FROM {_hits(vendor)}"  # noqa: S608
        f" JOIN catalogue_job AS job ON job.id = passage.job_id WHERE {_condition(vendor)}"
        f" AND {has_all(vendor, 'passage.folded', words)}{older}"
        f" ORDER BY {_order(vendor)} DESC LIMIT %s"
    )
    hits: list[Any] = (
        [sorted({gram for word in words for gram in grams_of(word)})]
        if vendor == "postgresql"
        else [expression_of(words)]
    )
    return text, [*hits, *words, *([] if before is None else [before])]


def _hits(vendor: str) -> str:
    if vendor == "postgresql":
        return f"{TABLE} AS passage"
    return f"{TERMS} CROSS JOIN {TABLE} AS passage ON passage.id = {TERMS}.rowid"


def _condition(vendor: str) -> str:
    if vendor == "postgresql":
        return "catalogue_grams(passage.folded) @> %s::text[]"
    return f"{TERMS} MATCH %s"


def _order(vendor: str) -> str:
    return "passage.id" if vendor == "postgresql" else f"{TERMS}.rowid"
