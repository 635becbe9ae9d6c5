"""``manage.py rotate_keys``: everything is sealed with the first key, while it is in use."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console
from rich.progress import Progress, TextColumn

from orchard.services import EngineAway, resealing
from orchard.services.resealing import FilesReport, ResealReport, Tell
from orchard.webhooks import sealed_secrets
from orchard.webhooks.sealed_secrets import SecretsReport
from statecore.sealing.key_ring import LOOK_EVERY_S
from statecore.sealing.site import Sealing, sealing_of_site
from statecore.services.resealed_backups import BackupsReport, reseal_backups


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """What a rotation did."""

    key: str
    """The key that seals now; empty: nothing is sealed any more."""
    values: ResealReport
    files: FilesReport
    backups: BackupsReport
    webhooks: SecretsReport

    @property
    def is_done(self) -> bool:
        """Whether nothing needs an older key any more, as far as this site can see."""
        return not (
            self.values.entries_left or self.values.damaged or self.files.damaged
            or self.backups.damaged or self.webhooks.damaged
        )  # fmt: skip


class Command(BaseCommand):
    """Seal anew; killed in the middle, it is run again and goes past what is done."""

    help = "Seal all values and files with the first key of the ring, while they are in use."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to seal, and how to tell of it."""
        text = "open everything: afterwards nothing is sealed, and ORCHARD_KEY_RING can go"
        parser.add_argument("--open", action="store_true", help=text)
        text = "forget the events if some are sealed with older keys; pages read everything again"
        parser.add_argument("--drop-events", action="store_true", help=text)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Wait until every process has seen the ring, then seal."""
        site = sealing_of_site()
        if site.ring is None:
            raise CommandError("ORCHARD_KEY_RING is not set: there is nothing to seal with")
        wanted = Sealing(site.ring) if options["open"] else site
        time.sleep(2 * LOOK_EVERY_S)
        try:
            with _shown(options, "values") as tell:
                values = resealing.values(wanted, tell, drop_events=options["drop_events"])
            with _shown(options, "files") as tell:
                files = resealing.files(wanted, tell)
            with _shown(options, "backups") as tell:
                kept = reseal_backups(Path(settings.STATECORE["BACKUP_DIR"]), wanted, tell)
            with _shown(options, "webhooks") as tell:
                signing = sealed_secrets.reseal(wanted, tell)
        except EngineAway as away:
            raise CommandError(f"the state engine is away: {away}") from None
        except DatabaseError as fault:
            raise CommandError(f"the database cannot be used: {fault}") from None
        except OSError as fault:
            raise CommandError(f"{fault.filename or 'disk'}: {fault.strerror or fault}") from None
        key = "" if options["open"] else site.ring.first.id
        done = Rotation(key=key, values=values, files=files, backups=kept, webhooks=signing)
        self._answer(done, options)

    def _answer(self, rotation: Rotation, options: dict[str, Any]) -> None:
        if options["json"]:
            told = msgspec.to_builtins(rotation) | {"done": rotation.is_done}
            self.stdout.write(msgspec.json.encode(told).decode())
            return
        values, files, kept = rotation.values, rotation.files, rotation.backups
        signing = rotation.webhooks
        way = f"sealed with {rotation.key}" if rotation.key else "opened"
        self.stdout.write(
            f"{values.sealed} values, {files.sealed} files, {kept.sealed} backups and"
            f" {signing.sealed} keys of webhooks were {way}."
        )
        if values.entries_left:
            self.stdout.write(
                f"{values.entries_left} events still need an older key; they go with time, or with"
                " --drop-events. Keep that key until then, and run this again."
            )
        if values.damaged:
            self.stdout.write(f"{values.damaged} values do not open; the log names them when read.")
        for name in [*files.damaged, *kept.damaged, *signing.damaged]:
            self.stdout.write(f"does not open: {name}")
        if rotation.is_done:
            self.stdout.write("Only exports and what fallbacks have saved may need older keys.")


@contextmanager
def _shown(options: dict[str, Any], what: str) -> Iterator[Tell]:
    """How far it is, on a terminal; nothing elsewhere."""
    if options["json"] or not sys.stderr.isatty():
        yield lambda done: None
        return
    columns = TextColumn("{task.description}"), TextColumn("{task.completed}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)
