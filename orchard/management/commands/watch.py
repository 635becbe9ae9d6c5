"""``manage.py watch``: what is put into a folder is transcribed, until it is stopped."""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchard.domain.errors import OrchardError
from orchard.domain.languages import parse_language
from orchard.domain.orders import AUDIO, Order, parse_labels, parse_priority
from orchard.domain.transcripts import CONTENT_TYPES
from orchard.domain.wishes import make_wishes, split_hot_words
from orchard.management.opening import open_engine
from orchard.services import EngineAway, get_engine
from orchard.services.accepting import list_types
from orchard.services.watched_folders import Plan, Watch
from orchard.stopping import stop_on_signals

log = logging.getLogger("orchard.watch")


class Command(BaseCommand):
    """Watch one folder; a second process on the same one does no harm."""

    help = "Hand in each recording that is put into a folder, and write its transcript beside it."
    # They would load the whole site, which this process has no use for.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which folder, and what is done with its recordings."""
        parser.add_argument("folder", type=Path, metavar="DIR")
        add = parser.add_argument
        add("--done", type=Path, help="where what was handed in goes (default: DIR/done)")
        add("--failed", type=Path, help="where what failed goes (default: DIR/failed)")
        add("--write", default="", metavar="FORMS",
            help="transcripts that are written beside a recording: srt,vtt,txt,json")  # fmt: skip
        add("--settle", type=float, default=10.0,
            help="seconds without a change after which a file is whole (default: 10)")  # fmt: skip
        add("--every", type=float, default=2.0,
            help="seconds between two looks at the folder (default: 2)")  # fmt: skip
        add("--owner", default="watch", help="whose jobs they are (default: watch)")
        add("--language", default="", help="what is spoken; recognized unless given")
        add("--prompt", default="", help="words in the style of the recordings")
        add("--hot-words", default="", help="names and terms, with commas between")
        add("--purifier", action=argparse.BooleanOptionalAction, default=None,
            help="whether to clean the sound; the owner's preference unless given")  # fmt: skip
        add("--type", default=AUDIO, help="what kind of work the files are (default: audio)")
        add("--priority", default="normal", help="low, normal, high, or from 0 to 9")
        add("--require", default="", help="labels that workers must have, with commas between")

    def handle(self, *args: Any, **options: Any) -> None:
        """Watch until SIGTERM or Ctrl-C."""
        plan = _plan(options)
        open_engine()
        stopping = stop_on_signals()
        try:
            watch = Watch(plan)
        except OSError as fault:
            raise CommandError(f"the folder cannot be used: {fault}") from None
        log.info("watching %s", plan.folder)
        try:
            while not stopping.is_set():
                _look(watch)
                stopping.wait(options["every"])
        finally:
            get_engine().close()


def _look(watch: Watch) -> None:
    """Look once; an engine or a share that is away comes back."""
    try:
        watch.look(time.monotonic())
    except EngineAway as away:
        log.warning("the state engine is away: %s", away)
    except (OSError, OrchardError) as fault:
        log.warning("this round went wrong: %s", fault)


def _plan(options: dict[str, Any]) -> Plan:
    folder: Path = options["folder"]
    forms = tuple(filter(None, options["write"].replace(" ", "").split(",")))
    if not folder.is_dir():
        raise CommandError(f"there is no folder {folder}")
    if wrong := [form for form in forms if form not in CONTENT_TYPES]:
        raise CommandError(f"--write: {wrong[0]!r} is none of {', '.join(CONTENT_TYPES)}")
    if options["type"] not in list_types():
        raise CommandError(f"--type: {options['type']!r} is none of {', '.join(list_types())}")
    try:
        return Plan(
            folder=folder, done=options["done"] or folder / "done",
            failed=options["failed"] or folder / "failed", settle_s=options["settle"],
            owner=options["owner"], forms=forms, use_purifier=options["purifier"],
            language=parse_language(options["language"]),
            wishes=make_wishes(options["prompt"], split_hot_words(options["hot_words"])),
            order=Order(
                job_type=options["type"], priority=parse_priority(options["priority"]),
                requires=parse_labels("--require", options["require"].split(",")),
            ),
        )  # fmt: skip
    except OrchardError as wrong:
        raise CommandError(str(wrong)) from None
