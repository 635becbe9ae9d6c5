"""``manage.py serve``: the web server, one ASGI process."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandParser

from orchard import tracing
from orchard.conf import get_conf
from orchard.fallback.starting import WebProcess
from orchard.live.feed import get_feed
from orchard.management.opening import open_engine
from statecore.services.waiting import end_waits

NOT_STARTED = 3
"""Exit code when the port is taken, as uvicorn's own."""


class _Server(uvicorn.Server):
    """A server that lets go at once who only waits, when it is asked to stop."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, finish what is at hand, and end."""
        get_feed().end_waits()
        end_waits()
        await super().shutdown(sockets)


class Command(BaseCommand):
    """Serve pages, REST and live sockets until SIGTERM or Ctrl-C."""

    help = "Run the web server: pages, REST API and live sockets."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, when not where the settings say."""
        parser.add_argument("--host", default=get_conf().host)
        parser.add_argument("--port", type=int, default=get_conf().port)
        parser.add_argument(
            "--grace", type=int, default=5,
            help="seconds that requests at hand have left after SIGTERM (default: 5)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; open requests are finished before the process ends, long polls at once.

        Uvicorn sends itself the signal again when it is done. That must not kill
        the process: the state engine's connection is still to be closed.
        """
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        open_engine()  # here, where waiting for it holds nobody up
        with WebProcess(), tracing.running("web", get_conf().traces):
            config = uvicorn.Config(
                "orchard.asgi:application", host=options["host"], port=options["port"],
                loop="uvloop", http="httptools", ws="orchard.live.sockets:LiveProtocol",
                lifespan="off", log_config=None, access_log=False,
                timeout_graceful_shutdown=options["grace"], server_header=False,
                proxy_headers=False, ws_max_size=65_536,
                # A frame is made once for all sockets; packing it for each is most of the cost.
                ws_per_message_deflate=False,
            )  # fmt: skip
            server = _Server(config)
            with suppress(KeyboardInterrupt):
                server.run()
            if not server.started:
                sys.exit(NOT_STARTED)
