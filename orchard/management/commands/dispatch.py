"""``manage.py dispatch``: gives push nodes their chunks until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchard import tracing
from orchard.conf import get_conf
from orchard.dispatching.running import Dispatcher, new_holder
from orchard.management.opening import open_engine
from orchard.services import get_engine


class Command(BaseCommand):
    """Run one dispatcher; any number may run, and they share the nodes."""

    help = "Drive push nodes: send them chunks, and take what they answer."
    # They would load the whole site, which this process has no use for.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """How long a stop may take."""
        parser.add_argument(
            "--grace", type=float, default=10.0,
            help="seconds that chunks at hand have left after SIGTERM (default: 10)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C; what is not done in time is handed back then."""
        open_engine()
        try:
            with tracing.running("dispatch", get_conf().traces):
                asyncio.run(_serve(options["grace"]))
        finally:
            get_engine().close()


async def _serve(grace_s: float) -> None:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    try:
        await Dispatcher(new_holder()).serve(stopping, grace_s=grace_s)
    finally:
        await get_engine().aclose()
