"""``orchard schedules``: files that are handed in again and again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from orchard_client.cli import wording
from orchard_client.cli.output import Column, moment, print_json, print_line, show_list
from orchard_client.cli.session import Json, client_of
from orchard_client.models.schedules import Schedule

app = typer.Typer(help=wording.SCHEDULES)

Id = Annotated[str, typer.Argument(metavar="SCHEDULE", help=wording.SCHEDULE_ID)]

COLUMNS: list[Column[Schedule]] = [
    (wording.T_ID, lambda one: one.schedule_id),
    (wording.T_CRON, lambda one: one.cron),
    (wording.T_ZONE, lambda one: one.time_zone),
    (wording.T_NEXT, lambda one: moment(one.next_at) or "disabled"),
    (wording.T_LAST, lambda one: moment(one.last_at)),
    (wording.T_CAME, lambda one: one.last_job_id or one.last_error),
    (wording.T_NAME, lambda one: one.name),
]


@app.callback(invoke_without_command=True)
def begin(context: typer.Context, as_json: Json = False) -> None:
    """List schedules, unless a command says otherwise."""
    if context.invoked_subcommand is None:
        list_schedules(context, as_json=as_json)


@app.command("list", help=wording.SCHEDULES_LIST)
def list_schedules(context: typer.Context, as_json: Json = False) -> None:
    """List schedules."""
    show_list(client_of(context).schedules.list().schedules, COLUMNS, as_json=as_json)


@app.command("add", help=wording.SCHEDULES_ADD)
def add(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=wording.FILE)],
    cron: Annotated[str, typer.Option(help=wording.CRON)],
    zone: Annotated[str | None, typer.Option(help=wording.ZONE)] = None,
    name: Annotated[str | None, typer.Option(help=wording.SCHEDULE_NAME)] = None,
    language: Annotated[str | None, typer.Option(help=wording.LANGUAGE)] = None,
    prompt: Annotated[str | None, typer.Option(help=wording.PROMPT)] = None,
    hot_word: Annotated[list[str] | None, typer.Option(help=wording.HOT_WORD)] = None,
    purifier: Annotated[bool | None, typer.Option(help=wording.PURIFIER)] = None,
    kind: Annotated[str | None, typer.Option("--type", help=wording.TYPE)] = None,
    priority: Annotated[str | None, typer.Option(help=wording.PRIORITY)] = None,
    require: Annotated[list[str] | None, typer.Option(help=wording.REQUIRE)] = None,
    as_json: Json = False,
) -> None:
    """Make a schedule."""
    made = client_of(context).schedules.create(
        file, name or file.name, cron, time_zone=zone, language=language, prompt=prompt,
        hot_words=hot_word or (), purifier=purifier, type=kind, priority=priority,
        requires=require or (),
    )  # fmt: skip
    show_list([made], COLUMNS, as_json=as_json)


@app.command("enable", help=wording.SCHEDULES_ENABLE)
def enable(context: typer.Context, schedule_id: Id, as_json: Json = False) -> None:
    """Let a schedule go on."""
    changed = client_of(context).schedules.update(schedule_id, enabled=True)
    show_list([changed], COLUMNS, as_json=as_json)


@app.command("disable", help=wording.SCHEDULES_DISABLE)
def disable(context: typer.Context, schedule_id: Id, as_json: Json = False) -> None:
    """Let a schedule rest."""
    changed = client_of(context).schedules.update(schedule_id, enabled=False)
    show_list([changed], COLUMNS, as_json=as_json)


@app.command("remove", help=wording.SCHEDULES_REMOVE)
def remove(
    context: typer.Context, schedule_id: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=wording.YES)] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Remove a schedule; people are asked first."""
    if not yes and sys.stdin.isatty():
        typer.confirm(wording.SURE_TO_UNSCHEDULE.format(name=schedule_id), abort=True, err=True)
    show_list([client_of(context).schedules.delete(schedule_id)], COLUMNS, as_json=as_json)


@app.command("run", help=wording.SCHEDULES_RUN)
def run(context: typer.Context, schedule_id: Id, as_json: Json = False) -> None:
    """Hand the file in at once."""
    job = client_of(context).schedules.run(schedule_id)
    print_json(job) if as_json else print_line(job.job_id)
