"""The index of names: any part of a word, in any language, on SQLite and on PostgreSQL.

SQLite keeps it as FTS5 trigrams, with the terms of the logbook for shorter words; triggers
hold it true to the table. PostgreSQL keeps one, two and three characters that stand beside
each other in a GIN index, by itself. Both find too much for a long word, and never too
little: hits are looked at again.
"""

from __future__ import annotations

from typing import Any

from orchard.catalogue.texts import expression_of

TABLE = "catalogue_job"
TERMS = "catalogue_terms"
_GRAMS_MAX = 24


def terms_of(terms: str, table: str) -> str:
    """The statement that makes an FTS5 index of what a table has of text."""
    return f"""CREATE VIRTUAL TABLE {terms} USING fts5 (
            folded, marks, content='{table}', content_rowid='id', detail=none, columnsize=0,
            tokenize='trigram case_sensitive 1'
        )"""


def forget_in(terms: str) -> str:
    """What a trigger does for a row that goes: FTS5 has to be told what it had of that."""
    return f"""INSERT INTO {terms} ({terms}, rowid, folded, marks)
    VALUES ('delete', old.id, old.folded, old.marks);"""  # noqa: S608


def learn_in(terms: str) -> str:
    """What a trigger does for a row that comes."""
    return f"""INSERT INTO {terms} (rowid, folded, marks)
    VALUES (new.id, new.folded, new.marks);"""  # noqa: S608


_DELETE, _INSERT = forget_in(TERMS), learn_in(TERMS)
_MADE = {
    "sqlite": (
        terms_of(TERMS, TABLE),
        f"CREATE TRIGGER catalogue_added AFTER INSERT ON {TABLE} BEGIN {_INSERT} END",
        f"CREATE TRIGGER catalogue_dropped AFTER DELETE ON {TABLE} BEGIN {_DELETE} END",
        f"""CREATE TRIGGER catalogue_renamed AFTER UPDATE OF folded, marks ON {TABLE}
            WHEN old.folded <> new.folded BEGIN {_DELETE} {_INSERT} END""",
    ),
    "postgresql": (
        """CREATE FUNCTION catalogue_grams(told text) RETURNS text[]
            LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
            SELECT array_agg(DISTINCT substr(told, place, size))
            FROM generate_series(1, length(told)) AS place, generate_series(1, 3) AS size
        $$""",
        f"CREATE INDEX {TERMS} ON {TABLE} USING gin (catalogue_grams(folded))"
        " WITH (fastupdate = off)",
    ),
}
_UNMADE = {
    "sqlite": (
        "DROP TRIGGER catalogue_renamed", "DROP TRIGGER catalogue_dropped",
        "DROP TRIGGER catalogue_added", f"DROP TABLE {TERMS}",
    ),
    "postgresql": (f"DROP INDEX {TERMS}", "DROP FUNCTION catalogue_grams"),
}  # fmt: skip


def make(_apps: Any, editor: Any) -> None:
    """Make the index (a step of a migration)."""
    execute(editor, _MADE)


def unmake(_apps: Any, editor: Any) -> None:
    """Drop the index (a step of a migration, backwards)."""
    execute(editor, _UNMADE)


def hits(vendor: str, words: tuple[str, ...]) -> tuple[str, list[Any]]:
    """A question whose only column ``id`` names the rows that may have all the words."""
    if vendor == "postgresql":
        grams = sorted({gram for word in words for gram in grams_of(word)})
        text = f"SELECT id FROM {TABLE} WHERE catalogue_grams(folded) @> %s::text[]"  # noqa: S608
        return text, [grams]
    text = f"SELECT rowid AS id FROM {TERMS} WHERE {TERMS} MATCH %s"  # noqa: S608
    return text, [expression_of(words)]


def check(vendor: str, words: tuple[str, ...]) -> tuple[str, list[Any]]:
    """The condition that a row has all the words."""
    return has_all(vendor, "job.folded", words), list(words)


def has_all(vendor: str, column: str, words: tuple[str, ...]) -> str:
    """The condition that a column has all the words; they are its parameters."""
    place = "strpos" if vendor == "postgresql" else "instr"
    return " AND ".join([f"{place}({column}, %s) > 0"] * len(words))


def grams_of(word: str) -> list[str]:
    """The characters that stand beside each other in a word; of a long one enough of them."""
    size = min(3, len(word))
    found = list(dict.fromkeys(word[i : i + size] for i in range(len(word) - size + 1)))
    return found[:: -(-len(found) // _GRAMS_MAX)]


def execute(editor: Any, statements: dict[str, tuple[str, ...]]) -> None:
    """Execute the statements for the database that is migrated."""
    for statement in statements[editor.connection.vendor]:
        editor.execute(statement, params=None)
