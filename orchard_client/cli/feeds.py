"""``orchard logs`` and ``orchard events``: what is said, and what happens."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from orchard_client.cli import wording
from orchard_client.cli.output import clean, colour_of, moment, on_terminal, plain, print_line
from orchard_client.cli.session import Json, client_of
from orchard_client.cli.values import parse_time
from orchard_client.clients import Client
from orchard_client.models.state import Event, LogLine

Follow = Annotated[bool, typer.Option("--follow", "-f", help=wording.FOLLOW)]
Level = Literal["debug", "info", "warning", "error", "critical"]


def logs(
    context: typer.Context,
    follow: Follow = False,
    last: Annotated[int, typer.Option("--last", "-n", min=0, max=100_000, help=wording.LAST)] = 50,
    search: Annotated[str, typer.Option("--search", "-s", help=wording.SEARCH)] = "",
    level: Annotated[Level | None, typer.Option(help=wording.LEVEL)] = None,
    process: Annotated[str, typer.Option(help=wording.OF_PROCESS)] = "",
    worker: Annotated[str, typer.Option(help=wording.OF_WORKER)] = "",
    job: Annotated[str, typer.Option(help=wording.OF_JOB)] = "",
    issue: Annotated[int | None, typer.Option(help=wording.OF_ISSUE)] = None,
    since: Annotated[str | None, typer.Option(help=wording.SINCE)] = None,
    as_json: Json = False,
) -> None:
    """Find log lines."""
    asked: dict[str, Any] = {
        "q": search, "level": level, "process": process, "worker": worker, "job": job,
        "issue": issue, "since": parse_time(since) if since else None,
    }  # fmt: skip
    client = client_of(context)
    lines: Iterable[LogLine]
    if follow:
        lines = client.logs.follow(last=min(last, 1000), **asked)
    else:
        found = client.logs.search(limit=min(max(last, 1), 1000), **asked)
        lines = list(islice(found, last))[::-1]
    for line in lines:
        _say_line(line, as_json)


def events(
    context: typer.Context,
    follow: Follow = False,
    names: Annotated[list[str] | None, typer.Option("--name", help=wording.NAMES)] = None,
    job: Annotated[str | None, typer.Option(help=wording.OF_JOB)] = None,
    issue: Annotated[int | None, typer.Option(help=wording.OF_ISSUE)] = None,
    cursor: Annotated[str, typer.Option(help=wording.CURSOR)] = "",
    as_json: Json = False,
) -> None:
    """List events, or follow them."""
    client = client_of(context)
    if follow:
        wanted: dict[str, Any] = {"names": names or (), "job_id": job, "issue": issue}
        for event in client.events.follow(cursor or "$", **wanted):
            _say_event(event, as_json)
        return
    for event in _kept(client, cursor):
        if _fits(event, names, job, issue):
            _say_event(event, as_json)


def _kept(client: Client, cursor: str) -> Iterable[Event]:
    while page := client.events.page(cursor=cursor, limit=500):
        yield from page.items
        if not page.events:
            return
        cursor = page.cursor


def _fits(event: Event, names: list[str] | None, job: str | None, issue: int | None) -> bool:
    if names and not {event.name, event.name.partition(".")[0]} & set(names):
        return False
    wanted = {"job_id": job, "issue": issue}
    return all(value in (None, event.facts.get(name)) for name, value in wanted.items())


def _say_event(event: Event, as_json: bool) -> None:
    if as_json:
        print_line(msgspec.json.encode(plain(event)).decode())
        return
    facts = msgspec.json.encode(event.facts).decode()
    name = f"{event.name:22}" if on_terminal() else event.name
    print_line("\t".join((moment(event.at), clean(name), clean(facts))))


def _say_line(line: LogLine, as_json: bool) -> None:
    if as_json:
        print_line(msgspec.json.encode(line).decode())
        return
    who, message = clean(line.worker or line.process or line.logger), clean(line.message)
    if on_terminal():
        head = (f"{moment(line.time)} {who} ", "dim")
        level = (f"{line.level:8}", colour_of(line.level))
        Console(soft_wrap=True).print(Text.assemble(head, level, f" {message}"))
    else:
        print_line(f"{moment(line.time)}\t{line.level}\t{who}\t{message}")
