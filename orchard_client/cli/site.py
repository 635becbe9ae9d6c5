"""``orchard whoami`` and ``orchard health``."""

from __future__ import annotations

import msgspec
import typer

from orchard_client.cli.output import show_one
from orchard_client.cli.session import Json, client_of
from orchard_client.errors import Unavailable
from orchard_client.settings import Server


class Asked(msgspec.Struct, kw_only=True):
    """Which server is asked, by whom, and how that was found out."""

    url: str
    url_from: str
    token_from: str
    name: str
    scopes: list[str]


def whoami(context: typer.Context, as_json: Json = False) -> None:
    """Say which server is asked, and by whom."""
    client = client_of(context)
    me = client.site.whoami()
    server: Server = client.server
    asked = Asked(
        url=server.url, url_from=server.url_from, token_from=server.token_from, name=me.name,
        scopes=me.scopes,
    )  # fmt: skip
    show_one(asked, as_json=as_json)


def health(context: typer.Context, as_json: Json = False) -> None:
    """Say whether the server can work."""
    found = client_of(context).site.health()
    show_one(found, as_json=as_json)
    if found.status != "ready":
        raise Unavailable(503, "", found.reason or found.status)
