"""What all commands share: the options that come first, and the client made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from orchard_client.cli import wording
from orchard_client.clients import Client

PATIENCE_S = 15.0
"""A person at a terminal wants to know soon."""

Json = Annotated[bool, typer.Option("--json", help=wording.JSON)]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help=wording.LIMIT)]


@dataclass
class Session:
    """What was said before the command."""

    url: str | None = None
    token_file: Path | None = None
    patience_s: float = PATIENCE_S

    def client(self) -> Client:
        """A client of the server that was named.

        Raises:
            ConfigurationError: none can be found.
        """
        return Client(self.url, token_file=self.token_file, patience_s=self.patience_s)


def client_of(context: typer.Context) -> Client:
    """The client of a command; closed when the command ends."""
    session = context.ensure_object(Session)
    client: Client = context.with_resource(session.client())
    return client
