"""``orchard webhooks``: other programs are told of what happens."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from orchard_client.cli import wording
from orchard_client.cli.output import Column, moment, show_list, show_one
from orchard_client.cli.session import Json, client_of
from orchard_client.models.webhooks import Delivery, Webhook

app = typer.Typer(help=wording.WEBHOOKS)

Id = Annotated[str, typer.Argument(metavar="WEBHOOK", help=wording.WEBHOOK_ID)]


def _condition(webhook: Webhook) -> str:
    if not webhook.enabled:
        return webhook.stopped_for or "disabled"
    return "failing" if webhook.failing_since else "enabled"


COLUMNS: list[Column[Webhook]] = [
    (wording.T_WEBHOOK, lambda one: one.webhook_id),
    (wording.T_STATUS, _condition),
    (wording.T_WAITING, lambda one: one.waiting),
    (wording.T_FAILED, lambda one: one.failed),
    (wording.T_TYPES, lambda one: " ".join(one.types)),
    (wording.T_URL, lambda one: one.url),
]
DELIVERIES: list[Column[Delivery]] = [
    (wording.T_DELIVERY, lambda one: one.delivery_id),
    (wording.T_STATUS, lambda one: str(one.state)),
    (wording.T_TYPES, lambda one: one.type),
    (wording.T_CREATED, lambda one: moment(one.created_at)),
]


@app.callback(invoke_without_command=True)
def begin(context: typer.Context, as_json: Json = False) -> None:
    """List webhooks, unless a command says otherwise."""
    if context.invoked_subcommand is None:
        list_webhooks(context, as_json=as_json)


@app.command("list", help=wording.WEBHOOKS_LIST)
def list_webhooks(context: typer.Context, as_json: Json = False) -> None:
    """List webhooks."""
    show_list(client_of(context).webhooks.list().webhooks, COLUMNS, as_json=as_json)


@app.command("add", help=wording.WEBHOOKS_ADD)
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help=wording.WEBHOOK_URL)],
    kind: Annotated[list[str] | None, typer.Option("--type", help=wording.WEBHOOK_TYPE)] = None,
    description: Annotated[str, typer.Option(help=wording.WEBHOOK_DESCRIPTION)] = "",
    as_json: Json = False,
) -> None:
    """Make a webhook; its secret is shown this once."""
    made = client_of(context).webhooks.create(url, description=description, types=kind or ())
    show_one(made, as_json=as_json)


@app.command("remove", help=wording.WEBHOOKS_REMOVE)
def remove(
    context: typer.Context, webhook_id: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=wording.YES)] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Remove a webhook; people are asked first."""
    if not yes and sys.stdin.isatty():
        typer.confirm(wording.SURE_TO_REMOVE.format(name=webhook_id), abort=True, err=True)
    show_list([client_of(context).webhooks.delete(webhook_id)], COLUMNS, as_json=as_json)


@app.command("test", help=wording.WEBHOOKS_TEST)
def send_test(context: typer.Context, webhook_id: Id, as_json: Json = False) -> None:
    """Send a message that says nothing."""
    show_list([client_of(context).webhooks.test(webhook_id)], DELIVERIES, as_json=as_json)
