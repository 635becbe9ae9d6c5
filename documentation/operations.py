"""The operations of the API as tables for a page, from the document that the code makes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PLACE = "<!-- operations -->"
"""What stands on the page where the tables go."""
VERBS = ("get", "post", "put", "patch", "delete")


@cache
def read_document() -> dict[str, Any]:
    """The API's document; a process of its own makes it, as Django is nothing for mkdocs."""
    command = [sys.executable, "manage.py", "spectacular", "--format", "openapi-json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"the API has no document: {done.stderr[-2000:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def tables(document: dict[str, Any]) -> str:
    """A title for each group of operations, and a table of them."""
    rows: dict[str, list[str]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for verb in VERBS:
            if verb in operations:
                rows[group_of(operations[verb])].append(row(verb, path, operations[verb]))
    head = "| request | name | what it does |\n|---|---|---|\n"
    return "\n".join(f"### {name}\n\n{head}{''.join(rows[name])}" for name in sorted(rows))


def group_of(operation: dict[str, Any]) -> str:
    """The kind of thing that an operation is about."""
    return str((operation.get("tags") or ["others"])[0])


def row(verb: str, path: str, operation: dict[str, Any]) -> str:
    """A line of the table."""
    text = " ".join(str(operation.get("description") or operation.get("summary") or "").split())
    said = text.replace("|", "\\|").replace("<", "&lt;")
    return f"| `{verb.upper()} {path}` | `{operation['operationId']}` | {said} |\n"
