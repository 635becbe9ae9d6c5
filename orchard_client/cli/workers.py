"""``orchard workers``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from orchard_client.cli import wording
from orchard_client.cli.output import Column, moment, show_list, show_one
from orchard_client.cli.session import Json, client_of
from orchard_client.models.workers import Worker

app = typer.Typer(help=wording.WORKERS)

Id = Annotated[str, typer.Argument(metavar="WORKER", help=wording.WORKER_ID)]
Ids = Annotated[list[str], typer.Argument(metavar="WORKER...", help=wording.WORKER_ID)]


def _note(worker: Worker) -> str:
    words = {"draining": worker.draining, "paused": worker.paused}
    health = worker.node.condition if worker.node and worker.node.condition != "well" else ""
    return ", ".join(
        [word for word, is_so in words.items() if is_so] + ([health] if health else [])
    )


COLUMNS: list[Column[Worker]] = [
    (wording.T_WORKER, lambda worker: worker.worker_id),
    (wording.T_STATUS, lambda worker: str(worker.status)),
    (wording.T_CHUNKS, lambda worker: len(worker.pending_chunks)),
    (wording.T_SEEN, lambda worker: moment(worker.last_updated)),
    (wording.T_NOTE, _note),
]


@app.callback(invoke_without_command=True)
def begin(context: typer.Context, as_json: Json = False) -> None:
    """List workers, unless a command says otherwise."""
    if context.invoked_subcommand is None:
        list_workers(context, as_json=as_json)


@app.command("list", help=wording.WORKERS_LIST)
def list_workers(context: typer.Context, as_json: Json = False) -> None:
    """List workers."""
    show_list(client_of(context).workers.list().workers, COLUMNS, as_json=as_json)


@app.command("show", help=wording.WORKERS_SHOW)
def show(context: typer.Context, worker_id: Id, as_json: Json = False) -> None:
    """Show a worker."""
    show_one(client_of(context).workers.get(worker_id), as_json=as_json)


@app.command("drain", help=wording.WORKERS_DRAIN)
def drain(context: typer.Context, worker_ids: Ids, as_json: Json = False) -> None:
    """Drain workers."""
    _each(client_of(context).workers.drain, worker_ids, as_json)


@app.command("pause", help=wording.WORKERS_PAUSE)
def pause(context: typer.Context, worker_ids: Ids, as_json: Json = False) -> None:
    """Pause workers."""
    _each(client_of(context).workers.pause, worker_ids, as_json)


@app.command("resume", help=wording.WORKERS_RESUME)
def resume(context: typer.Context, worker_ids: Ids, as_json: Json = False) -> None:
    """Resume workers."""
    _each(client_of(context).workers.resume, worker_ids, as_json)


@app.command("remove", help=wording.WORKERS_REMOVE)
def remove(context: typer.Context, worker_ids: Ids, as_json: Json = False) -> None:
    """Remove workers."""
    _each(client_of(context).workers.remove, worker_ids, as_json)


def _each(do: Callable[[str], Worker], worker_ids: list[str], as_json: bool) -> None:
    show_list([do(worker_id) for worker_id in worker_ids], COLUMNS, as_json=as_json)
