"""``orchard issues``."""

from __future__ import annotations

import os
import socket
import subprocess
from itertools import islice
from typing import Annotated, Any

import typer

from orchard_client.cli import wording
from orchard_client.cli.output import Column, moment, print_json, print_line, show_list, show_one
from orchard_client.cli.session import Json, Limit, client_of
from orchard_client.cli.values import parse_json
from orchard_client.errors import LeaseLost
from orchard_client.models.issues import Issue, Orphan
from orchard_client.models.words import IssueStatus

app = typer.Typer(help=wording.ISSUES)

Number = Annotated[int, typer.Argument(min=0, metavar="ISSUE", help=wording.ISSUE)]
Process = Annotated[str, typer.Option("--process", "-p", help=wording.PROCESS)]
Holder = Annotated[str | None, typer.Option("--process", "-p", help=wording.HOLDER)]
Token = Annotated[int | None, typer.Option(help=wording.CLAIM)]
Task = Annotated[str | None, typer.Option(help=wording.TASK)]
Ttl = Annotated[float | None, typer.Option(help=wording.TTL)]

COLUMNS: list[Column[Issue]] = [
    (wording.T_ISSUE, lambda issue: issue.issue),
    (wording.T_STATUS, lambda issue: str(issue.status)),
    (wording.T_HOLDER, lambda issue: issue.process_id),
    (wording.T_TASK, lambda issue: issue.task_type),
    (wording.T_LEASE, lambda issue: moment(issue.lease_until)),
]
ORPHANS: list[Column[Orphan]] = [
    (wording.T_ISSUE, lambda orphan: orphan.issue),
    (wording.T_REASON, lambda orphan: orphan.reason),
    (wording.T_HOLDER, lambda orphan: orphan.process_id),
    (wording.T_SEEN, lambda orphan: moment(orphan.last_heartbeat)),
]


@app.callback(invoke_without_command=True)
def begin(context: typer.Context, as_json: Json = False) -> None:
    """List issues, unless a command says otherwise."""
    if context.invoked_subcommand is None:
        list_issues(context, as_json=as_json)


@app.command("list", help=wording.ISSUES_LIST)
def list_issues(
    context: typer.Context,
    status: Annotated[IssueStatus | None, typer.Option(help=wording.STATUS)] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List issues."""
    found = client_of(context).issues.list(status=status, limit=min(limit, 200))
    show_list(islice(found, limit), COLUMNS, as_json=as_json)


@app.command("show", help=wording.ISSUES_SHOW)
def show(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Show an issue."""
    show_one(client_of(context).issues.get(number), as_json=as_json)


@app.command("checkout", help=wording.ISSUES_CHECKOUT)
def checkout(
    context: typer.Context, number: Number, process: Process, task: Task = None, ttl: Ttl = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Check an issue out; without --json, its token alone is printed."""
    taken = client_of(context).issues.check_out(
        number, process, task_type=task, ttl_s=ttl, host=socket.gethostname()
    )
    print_json(taken) if as_json else print_line(str(taken.token))


@app.command("heartbeat", help=wording.ISSUES_HEARTBEAT)
def heartbeat(
    context: typer.Context, number: Number, process: Holder = None, token: Token = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Give a sign of life."""
    _check_claimant(process, token)
    beat = client_of(context).issues.heartbeat(number, process_id=process, token=token)
    if as_json:
        print_json(beat)
    if not beat.alive:
        raise LeaseLost(wording.NOBODY_HOLDS.format(number=number))
    if not as_json:
        print_line(moment(beat.lease_until))


@app.command("checkin", help=wording.ISSUES_CHECKIN)
def checkin(
    context: typer.Context, number: Number, process: Holder = None, token: Token = None,
    status: Annotated[IssueStatus, typer.Option(help=wording.NEW_STATUS)] = IssueStatus.COMPLETED,
    result: Annotated[str | None, typer.Option(help=wording.RESULT)] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Check an issue in."""
    brought: Any = None if result is None else parse_json(result)
    done = client_of(context).issues.check_in(
        number, status=status, result=brought, process_id=process, token=token
    )
    show_list([done], COLUMNS, as_json=as_json)


@app.command("run", help=wording.ISSUES_RUN)
def run(
    context: typer.Context, number: Number, process: Process,
    command: Annotated[list[str], typer.Argument(help=wording.COMMAND)],
    task: Task = None, ttl: Ttl = None,
) -> None:  # fmt: skip
    """Run a command while an issue is held; its exit code is the command's."""
    host = socket.gethostname()
    holding = client_of(context).hold_issue(
        number, process, task_type=task, ttl_s=ttl, host=host
    )  # fmt: skip
    with holding as held:
        told = {"ORCHARD_ISSUE": str(number), "ORCHARD_ISSUE_TOKEN": str(held.token)}
        code = subprocess.run(command, env=os.environ | told, check=False).returncode  # noqa: S603
        held.status = IssueStatus.ERROR if code else IssueStatus.COMPLETED
        held.result = {"exit_code": code}
    raise typer.Exit(code if code >= 0 else 128 - code)


@app.command("orphans", help=wording.ISSUES_ORPHANS)
def orphans(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help=wording.REPAIR)] = False,
    as_json: Json = False,
) -> None:
    """List orphans, or repair them."""
    issues = client_of(context).issues
    found = issues.repair_orphans() if repair else issues.orphans()
    show_list(found.orphans, ORPHANS, as_json=as_json)


def _check_claimant(process: str | None, token: int | None) -> None:
    if process is None and token is None:
        raise typer.BadParameter(wording.NO_CLAIMANT)
