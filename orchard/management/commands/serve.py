"""``manage.py serve``: the web server, one ASGI process."""

from __future__ import annotations

import signal
import sys
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandParser

from orchard.conf import get_conf
from orchard.fallback.starting import WebProcess


class Command(BaseCommand):
    """Serve pages, REST and live sockets until SIGTERM or Ctrl-C."""

    help = "Run the web server: pages, REST API and live sockets."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, when not where the settings say."""
        parser.add_argument("--host", default=get_conf().host)
        parser.add_argument("--port", type=int, default=get_conf().port)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; open requests are finished before the process ends.

        Uvicorn sends itself the signal again when it is done. That must not kill
        the process: the state engine's connection is still to be closed.
        """
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with WebProcess():
            uvicorn.run(
                "orchard.asgi:application", host=options["host"], port=options["port"],
                loop="uvloop", http="httptools", ws="websockets-sansio", lifespan="off",
                log_config=None, access_log=False, timeout_graceful_shutdown=5,
                server_header=False, proxy_headers=False, ws_max_size=65_536,
            )  # fmt: skip
