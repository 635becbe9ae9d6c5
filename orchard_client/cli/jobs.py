"""``orchard jobs``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice
from typing import Annotated

import typer

from orchard_client.cli import wording
from orchard_client.cli.output import Column, length, moment, show_list, show_one, told_wait
from orchard_client.cli.session import Json, Limit, client_of
from orchard_client.cli.submitting import Format, Output, Rules, Timeout, check_folder, write
from orchard_client.models.jobs import Job
from orchard_client.models.words import JobStatus
from orchard_client.procedures import require_completed

app = typer.Typer(help=wording.JOBS)

Id = Annotated[str, typer.Argument(metavar="JOB", help=wording.JOB_ID)]
Ids = Annotated[list[str], typer.Argument(metavar="JOB...", help=wording.JOB_ID)]

COLUMNS: list[Column[Job]] = [
    (wording.T_ID, lambda job: job.job_id),
    (wording.T_STATUS, lambda job: str(job.status)),
    (wording.T_DONE, lambda job: f"{job.completed_chunks}/{job.total_chunks}"),
    (wording.T_LENGTH, lambda job: length(job.duration_ms)),
    (wording.T_CREATED, lambda job: moment(job.created_at)),
    (wording.T_NAME, lambda job: job.filename),
]


@app.callback(invoke_without_command=True)
def begin(context: typer.Context, as_json: Json = False) -> None:
    """List jobs, unless a command says otherwise."""
    if context.invoked_subcommand is None:
        list_jobs(context, as_json=as_json)


@app.command("list", help=wording.JOBS_LIST)
def list_jobs(
    context: typer.Context,
    status: Annotated[JobStatus | None, typer.Option(help=wording.STATUS)] = None,
    search: Annotated[str, typer.Option("--search", "-s", help=wording.SEARCH)] = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List jobs."""
    found = client_of(context).jobs.list(q=search, status=status, limit=min(limit, 200))
    show_list(islice(found, limit), COLUMNS, as_json=as_json)


@app.command("show", help=wording.JOBS_SHOW)
def show(context: typer.Context, job_id: Id, as_json: Json = False) -> None:
    """Show a job."""
    job = client_of(context).jobs.get(job_id)
    show_one(job, as_json=as_json, leave_out=("chunks", "result", "waits_for"))
    if not as_json:
        show_one({"waits_for": told_wait(job)}, as_json=False)


@app.command("transcript", help=wording.JOBS_TRANSCRIPT)
def transcript(
    context: typer.Context, job_id: Id, form: Format = "txt", output: Output = None,
    edited: Annotated[bool, typer.Option("--edited", help=wording.EDITED)] = False,
    words: Annotated[bool, typer.Option("--words", help=wording.WORDS)] = False,
    rules: Rules = False,
    line_chars: Annotated[int | None, typer.Option(help=wording.LINE_CHARS)] = None,
    lines: Annotated[int | None, typer.Option(help=wording.LINES)] = None,
    max_s: Annotated[float | None, typer.Option(help=wording.MAX_S)] = None,
    min_s: Annotated[float | None, typer.Option(help=wording.MIN_S)] = None,
) -> None:  # fmt: skip
    """Print a transcript."""
    check_folder(output)
    text = client_of(context).jobs.transcript(
        job_id, form, edited=edited, words=words, rules=rules, line_chars=line_chars,
        lines=lines, max_s=max_s, min_s=min_s,
    )  # fmt: skip
    write(text, output)


@app.command("wait", help=wording.JOBS_WAIT)
def wait(
    context: typer.Context, job_id: Id, timeout: Timeout = None, as_json: Json = False
) -> None:
    """Wait for a job."""
    job = client_of(context).jobs.wait(job_id, timeout_s=timeout)
    show_list([job], COLUMNS, as_json=as_json)
    require_completed(job)


@app.command("cancel", help=wording.JOBS_CANCEL)
def cancel(context: typer.Context, job_ids: Ids, as_json: Json = False) -> None:
    """Cancel jobs."""
    _each(client_of(context).jobs.cancel, job_ids, as_json)


@app.command("retry", help=wording.JOBS_RETRY)
def retry(context: typer.Context, job_ids: Ids, as_json: Json = False) -> None:
    """Retry jobs."""
    _each(client_of(context).jobs.retry, job_ids, as_json)


@app.command("pin", help=wording.JOBS_PIN)
def pin(
    context: typer.Context, job_ids: Ids,
    pinned: Annotated[bool, typer.Option("--keep/--let-go", help=wording.JOBS_PIN)] = True,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Pin jobs."""
    client = client_of(context)
    _each(lambda job_id: client.jobs.pin(job_id, pinned=pinned), job_ids, as_json)


@app.command("delete", help=wording.JOBS_DELETE)
def delete(
    context: typer.Context, job_ids: Ids,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=wording.YES)] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Delete jobs; people are asked first."""
    if not yes and sys.stdin.isatty():
        typer.confirm(wording.SURE_TO_DELETE.format(count=len(job_ids)), abort=True, err=True)
    _each(client_of(context).jobs.delete, job_ids, as_json)


def _each(do: Callable[[str], Job], job_ids: list[str], as_json: bool) -> None:
    show_list([do(job_id) for job_id in job_ids], COLUMNS, as_json=as_json)
