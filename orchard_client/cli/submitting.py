"""``orchard submit``: a recording goes in, and its transcript comes out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from orchard_client.calls.jobs import Form
from orchard_client.cli import wording
from orchard_client.cli.output import print_json, print_line, told_wait
from orchard_client.cli.session import Json, client_of
from orchard_client.models.jobs import Job
from orchard_client.procedures import require_completed

Format = Annotated[Form, typer.Option("--format", "-f", help=wording.FORMAT)]
Output = Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help=wording.OUTPUT)]
Rules = Annotated[bool, typer.Option("--rules", help=wording.RULES)]
Timeout = Annotated[float | None, typer.Option(min=0, help=wording.TIMEOUT)]


def submit(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, allow_dash=True, help=wording.FILE)
    ],
    wait: Annotated[bool, typer.Option("--wait", "-w", help=wording.WAIT)] = False,
    form: Format = "txt",
    output: Output = None,
    name: Annotated[str | None, typer.Option(help=wording.NAME)] = None,
    language: Annotated[str | None, typer.Option(help=wording.LANGUAGE)] = None,
    prompt: Annotated[str | None, typer.Option(help=wording.PROMPT)] = None,
    hot_word: Annotated[list[str] | None, typer.Option(help=wording.HOT_WORD)] = None,
    words: Annotated[bool | None, typer.Option(help=wording.WORDS)] = None,
    rules: Rules = False,
    purifier: Annotated[bool | None, typer.Option(help=wording.PURIFIER)] = None,
    kind: Annotated[str | None, typer.Option("--type", help=wording.TYPE)] = None,
    priority: Annotated[str | None, typer.Option(help=wording.PRIORITY)] = None,
    require: Annotated[list[str] | None, typer.Option(help=wording.REQUIRE)] = None,
    at: Annotated[str | None, typer.Option(help=wording.AT)] = None,
    key: Annotated[str | None, typer.Option(help=wording.KEY)] = None,
    resumable: Annotated[bool | None, typer.Option(help=wording.RESUMABLE)] = None,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """Hand a recording in."""
    check_folder(output)
    client = client_of(context)
    source: Path | BinaryIO = sys.stdin.buffer if str(file) == "-" else file
    with _shown() as shown:
        job = client.jobs.submit(
            source, name=name, language=language, prompt=prompt, hot_words=hot_word or (),
            purifier=purifier, idempotency_key=key, progress=shown.sent, type=kind,
            priority=priority, requires=require or (), run_at=at, resumable=resumable, words=words,
        )  # fmt: skip
        if wait or output:
            job = client.jobs.wait(job.job_id, timeout_s=timeout, on_change=shown.changed)
    if not (wait or output):
        print_json(job) if as_json else print_line(job.job_id)
        return
    require_completed(job)
    if as_json:
        print_json(job)
    if output or not as_json:
        if job.job_type == "audio":
            text = client.jobs.transcript(job.job_id, form, rules=rules, words=bool(words))
            write(text, output)
        else:
            write_bytes(client.jobs.output(job.job_id), output)


def check_folder(output: Path | None) -> None:
    """Let nobody wait for what cannot be written.

    Raises:
        BadParameter: the file's folder is not there.
    """
    if output and not output.parent.is_dir():
        raise typer.BadParameter(wording.NO_FOLDER.format(folder=output.parent))


def write(text: str, output: Path | None) -> None:
    """Print a transcript, or put it into a file, whole."""
    if output is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    write_bytes(text.encode(), output)


def write_bytes(content: bytes, output: Path | None) -> None:
    """Print what a job led to, or put it into a file, whole."""
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return
    beside = output.with_name(f".{output.name}.part")
    beside.write_bytes(content)
    beside.replace(output)


class _Shown:
    """Shows on a terminal how far a job is."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._bar = bars.add_task(wording.UPLOADING, total=None)
        self._told = ""

    def sent(self, sent: int, size: int) -> None:
        """Note how much of the file was sent, in bytes."""
        self._bars.update(self._bar, completed=sent, total=size or None)

    def changed(self, job: Job) -> None:
        """Note where the job is; until it is cut, nobody knows how long it takes."""
        self._bars.remove_task(self._bar)
        self._bar = self._bars.add_task(
            str(job.status), completed=job.completed_chunks, total=job.total_chunks or None
        )
        before, self._told = self._told, told_wait(job)
        if self._told and self._told != before:
            self._bars.console.print(Text(wording.WAITS.format(reason=self._told)))


@contextmanager
def _shown() -> Iterator[_Shown]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    bars = Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    )  # fmt: skip
    with bars:
        yield _Shown(bars)
