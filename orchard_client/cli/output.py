"""How answers are shown: tables for people, tabs for programs, JSON for whoever asks for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchard_client.cli import wording
from orchard_client.models.jobs import Job
from orchard_client.models.state import Event

T = TypeVar("T")
Column = tuple[str, Callable[[T], object]]

_COLOURS = {
    "completed": "green", "online": "green", "busy": "cyan", "processing": "cyan", "failed": "red",
    "error": "red", "cancelled": "yellow", "offline": "red", "warning": "yellow", "critical": "red",
}  # fmt: skip


def on_terminal() -> bool:
    """Whether a person looks at what is printed."""
    return sys.stdout.isatty()


def show_list(items: Iterable[T], columns: Sequence[Column[T]], *, as_json: bool) -> None:
    """Show things one below the other."""
    if as_json:
        print_json([plain(item) for item in items])
    elif on_terminal():
        _show_table(items, columns)
    else:
        for item in items:
            print_line("\t".join(_flat(value(item)) for _, value in columns))


def show_one(item: Any, *, as_json: bool, leave_out: Sequence[str] = ()) -> None:
    """Show one thing, field by field."""
    if as_json:
        print_json(plain(item))
        return
    for name, value in msgspec.to_builtins(item).items():
        if name not in leave_out and value not in (None, "", [], {}):
            print_line(f"{name:20} {_flat(value)}" if on_terminal() else f"{name}\t{_flat(value)}")


def print_json(value: Any) -> None:
    """Print a value as one document."""
    raw = msgspec.json.encode(value)
    print_line((msgspec.json.format(raw, indent=2) if on_terminal() else raw).decode())


def print_line(text: str) -> None:
    """Print a line at once, whoever reads it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def plain(item: Any) -> Any:
    """A thing as the API spells it."""
    if isinstance(item, Event):
        return {"cursor": item.cursor, "name": item.name, "at": item.at} | item.facts
    return item


def told_wait(job: Job) -> str:
    """Why no worker can begin with a job, and what helps; empty when it is not so."""
    return clean(f"{job.waits_for.message} {job.waits_for.help}") if job.waits_for else ""


def moment(at: datetime | None) -> str:
    """A moment: short and in the local time for people, exact for programs."""
    if at is None:
        return ""
    if not on_terminal():
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def length(milliseconds: int) -> str:
    """A duration as hours, minutes and seconds."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if milliseconds else ""


def clean(text: str) -> str:
    """A text on one line, without anything that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def colour_of(word: str) -> str:
    """The colour of a word that stands for a state; none of other words."""
    return _COLOURS.get(word, "")


def _show_table(items: Iterable[T], columns: Sequence[Column[T]]) -> None:
    table = Table(*(title for title, _ in columns), box=None, header_style="bold", pad_edge=False)
    for item in items:
        cells = [_flat(value(item)) for _, value in columns]
        table.add_row(*(Text(cell, style=colour_of(cell)) for cell in cells))
    console = Console()
    console.print(table if table.row_count else Text(wording.NOTHING, style="dim"))


def _flat(value: object) -> str:
    """A value on one line, whatever is in it."""
    return clean(value if isinstance(value, str) else _spelled(value))


def _spelled(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list | tuple):
        return msgspec.json.encode(value).decode()
    return str(value)
