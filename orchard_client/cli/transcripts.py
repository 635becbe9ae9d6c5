"""``orchard search`` and ``orchard export``: what was said in many recordings."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from orchard_client.cli import wording
from orchard_client.cli.output import Column, print_json, print_line, show_list
from orchard_client.cli.session import Json, Limit, client_of
from orchard_client.cli.submitting import Format, Rules, check_folder, write_bytes
from orchard_client.models.jobs import Said
from orchard_client.models.words import JobStatus

COLUMNS: list[Column[Said]] = [
    (wording.T_ID, lambda said: said.job_id),
    (wording.T_TIME, lambda said: said.start),
    (wording.T_NAME, lambda said: said.filename),
    (wording.T_SAID, lambda said: said.text),
]


def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help=wording.SAID)],
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Find what was said."""
    found = client_of(context).jobs.search_transcripts(q=" ".join(words), limit=min(limit, 50))
    show_list(islice(found, limit), COLUMNS, as_json=as_json)


def export(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help=wording.ZIP)],
    form: Format = "txt",
    query: Annotated[str, typer.Option("--query", "-q", help=wording.SEARCH)] = "",
    status: Annotated[JobStatus | None, typer.Option(help=wording.STATUS)] = None,
    ids: Annotated[str, typer.Option(metavar="ID,ID,...", help=wording.IDS)] = "",
    edited: Annotated[bool, typer.Option("--edited", help=wording.EDITED)] = False,
    words: Annotated[bool, typer.Option("--words", help=wording.WORDS)] = False,
    rules: Rules = False,
    as_json: Json = False,
) -> None:
    """Write many transcripts into one file."""
    check_folder(output)
    content = client_of(context).jobs.export(
        form, job_ids=[one.strip() for one in ids.split(",") if one.strip()], q=query,
        status=status, edited=edited, words=words, rules=rules,
    )  # fmt: skip
    write_bytes(content, output)
    told = {"file": str(output), "bytes": len(content)}
    print_json(told) if as_json else print_line(str(output))
