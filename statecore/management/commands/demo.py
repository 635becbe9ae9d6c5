"""``manage.py demo``: a walk through issues and state, on a store that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from statecore.codec import encode_json
from statecore.domain.errors import HeldByAnother
from statecore.factory import StateManagerFactory
from statecore.services import labels
from statecore.store import SCHEMES, open_store
from statecore.store.base import Store
from statecore.store.errors import StoreError

NUMBER = 987_654_321
"""An issue that nobody has, so that a demo on a store in use disturbs nothing."""
NAMESPACE = "demo"


class Command(BaseCommand):
    """Show what the state side does, step by step, and leave nothing behind."""

    help = "Walk through issues and state, step by step, on any store."

    def add_arguments(self, parser: CommandParser) -> None:
        """On which store."""
        schemes = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        parser.add_argument(
            "--store", default="memory://", help=f"the store's URL (default: memory://): {schemes}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk through; what was made is removed again."""
        with _opened(options["store"]) as store:
            self._issues(store)
            self._state(store)
            self._locks(store)
        self.stdout.write(self.style.SUCCESS("Done; nothing is left behind."))

    def _say(self, what: str, answer: Any = "") -> None:
        shown = answer if isinstance(answer, str) else encode_json(answer).decode()
        self.stdout.write(f"{self.style.MIGRATE_HEADING(what)}\n  {shown}".rstrip())

    def _issues(self, store: Store) -> None:
        manager = StateManagerFactory.create_status_manager({}, store=store)
        manager.initialize()
        try:
            self._say("checkout", manager.checkout(NUMBER, "process-1", "test-task"))
            try:
                manager.checkout(NUMBER, "process-2")
            except HeldByAnother as held:
                self._say("checkout by another process", str(held))
            self._say("update_heartbeat", manager.update_heartbeat(NUMBER))
            self._say("get_currently_processing", manager.get_currently_processing())
            self._say("checkin", manager.checkin(NUMBER, "completed", {"result": "success"}))
            self._say("get_statistics", manager.get_statistics())
        finally:
            manager.reset_issue_status(NUMBER)
            store.run(labels.withdraw(NUMBER))

    def _state(self, store: Store) -> None:
        manager = StateManagerFactory.create_unified_state_manager({}, store=store)
        try:
            manager.set(NAMESPACE, "key", {"value": "data"})
            self._say("set and get", manager.get(NAMESPACE, "key"))

            def move(tx: Any) -> None:
                tx.set(NAMESPACE, "moved", tx.get(NAMESPACE, "key"))
                tx.delete(NAMESPACE, "key")

            manager.transaction(move)
            self._say("transaction", manager.get_all(NAMESPACE))
        finally:
            manager.clear(NAMESPACE)

    def _locks(self, store: Store) -> None:
        manager = StateManagerFactory.create_unified_state_manager({}, store=store)
        with manager.lock("demo", ttl_s=10) as lock:
            self._say("lock with its fencing token", lock.token)


@contextmanager
def _opened(url: str) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="orchard-demo-") as folder:
        try:
            store = open_store(url, Path(folder) / "data")
        except StoreError as fault:
            raise CommandError(str(fault)) from None
        try:
            yield store
        except StoreError as fault:
            raise CommandError(f"{url}: {fault}") from None
        finally:
            store.close()
