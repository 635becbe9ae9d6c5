"""What the commands that move state have in common: which store, errors, progress, JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from statecore.domain.errors import StateError
from statecore.ports.backup_directories import BadBackup
from statecore.ports.export_format import BadExport
from statecore.sealing.faults import SealFault
from statecore.sealing.site import sealing_of_site
from statecore.services import EngineAway, get_engine
from statecore.services.migrations import NotVerified
from statecore.store import open_store
from statecore.store.base import Store
from statecore.store.errors import StoreError
from statecore.store.sealing import sealed_store

Tell = Callable[[str, int, int], None]


class StateCommand(BaseCommand):
    """A command on a store; its subclasses say what it does, in :meth:`work`."""

    def add_arguments(self, parser: CommandParser) -> None:
        """On which store, and in which form to answer."""
        parser.add_argument("--store", metavar="URL", help="another store than the site's")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work; what goes wrong is said in one sentence."""
        try:
            self.work(options)
        except EngineAway as away:
            raise CommandError(f"the state engine is away: {away}") from None
        except (StateError, StoreError, BadBackup, NotVerified, SealFault) as fault:
            raise CommandError(str(fault)) from None
        except OSError as fault:
            raise CommandError(f"{fault.filename or 'disk'}: {fault.strerror or fault}") from None

    def work(self, options: dict[str, Any]) -> None:
        """Do what the command is for."""
        raise NotImplementedError

    def answer(self, options: dict[str, Any], report: Any, text: str) -> None:
        """Print the report as JSON, or the text that says the same to people."""
        if options["json"]:
            text = json.dumps(msgspec.to_builtins(report), indent=2)
        self.stdout.write(text.encode("utf-8", "replace").decode())


@contextmanager
def opened_store(url: str | None) -> Iterator[Store]:
    """The site's store, or the one that a URL names, which is closed afterwards."""
    if url is None:
        yield get_engine()
        return
    store = open_store(url, Path(settings.DATA_DIR))
    if not url.startswith("file:"):  # files are for people and other programs to read
        store = sealed_store(store, sealing_of_site())
    try:
        yield store
    finally:
        store.close()


def directory_url(directory: str | None, url: str | None) -> str | None:
    """The URL of the store that is a directory, or else this URL.

    Raises:
        CommandError: both are named.
    """
    if directory and url:
        raise CommandError("--state-dir and --store name two stores; name one")
    return Path(directory).absolute().as_uri() if directory else url


@contextmanager
def shown_progress(options: dict[str, Any]) -> Iterator[Tell]:
    """A bar on a terminal; nothing elsewhere."""
    if options["json"] or not sys.stderr.isatty():
        yield _quiet
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield tell


@contextmanager
def named_file(path: Path) -> Iterator[None]:
    """Say which export is meant when it will not do."""
    try:
        yield
    except BadExport as fault:
        raise CommandError(f"{path}: {fault}") from None


def _quiet(what: str, done: int, total: int) -> None:
    """Tell nobody."""
