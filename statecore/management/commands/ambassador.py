"""``manage.py ambassador``: answers other programs, finds orphans, delivers label requests."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from statecore.ambassador.running import serve
from statecore.ports.deliveries import Delivery
from statecore.services import EngineAway, get_engine
from statecore.store.base import Store
from statecore.wording import comment_on


class Command(BaseCommand):
    """Run one ambassador; of any number that run, one is active."""

    help = "Answer other programs over channels, find orphaned issues, deliver label requests."
    # They would load the whole site, which this process has no use for.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C; the next ambassador takes over at once then."""
        try:
            store = get_engine()
        except EngineAway as away:
            raise CommandError(f"the state engine does not start: {away}") from None
        delivery = _open_delivery()
        try:
            with translation.override(settings.LANGUAGE_CODE):
                asyncio.run(_serve(store, delivery))
        finally:
            if delivery:
                delivery.close()
            store.close()


async def _serve(store: Store, delivery: Delivery | None) -> None:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    every_s = settings.STATECORE["ORPHAN_CHECK_S"]
    await serve(store, stopping, comment=comment_on, check_every_s=every_s, delivery=delivery)


def _open_delivery() -> Delivery | None:
    """Where label requests go by the settings; nowhere: ``None``."""
    options = settings.STATECORE
    match options["LABELS"]:
        case "files":
            from statecore.ports.request_files import RequestFiles

            return RequestFiles(Path(options["STATE_DIR"]))
        case "github":
            from statecore.ports.github import GitHubDelivery

            try:
                return GitHubDelivery(
                    options["GITHUB_REPOSITORY"], options["GITHUB_TOKEN"], options["GITHUB_URL"]
                )
            except ValueError as wrong:
                raise CommandError(str(wrong)) from None
    return None
