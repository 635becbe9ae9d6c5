"""``manage.py show_settings``: all settings, for people or for the documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchard.conf import Conf, get_conf
from orchard.conf_values import describe_type

INTRODUCTION = """\
# Settings

A value comes from the environment, else from the section `orchard` of `config/config.json`
(`ORCHARD_CONFIG` names another file; `config/config.example.json` is an example), else it is the
default. A wrong value is refused at start, with its name and what is allowed. The section
`unifiedStateManagement` of the same file may name a Redis server, as it always did.

Agents have options instead: `python -m orchard.agent --help`.
"""


class Command(BaseCommand):
    """Print the settings; secrets are never shown."""

    help = "Show all settings with their values, or --markdown for docs/settings.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """For whom."""
        parser.add_argument("--markdown", action="store_true", help="the page docs/settings.md")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        if options["markdown"]:
            self.stdout.write(settings_page(), ending="")
            return
        for one in fields(Conf):
            self.stdout.write(f"{one.metadata['env']}={get_conf().show(one.name)}")


def settings_page() -> str:
    """The page that documents each setting."""
    return "\n".join([INTRODUCTION, *_table()]) + "\n"


def _table() -> Iterator[str]:
    yield "| environment | in the file | default | allowed | meaning |"
    yield "|---|---|---|---|---|"
    for one in fields(Conf):
        env, meaning = one.metadata["env"], one.metadata["help"]
        row = (f"`{env}`", f"`{one.name}`", _default(one), describe_type(one), meaning)
        yield f"| {' | '.join(row)} |"


def _default(one: Field[Any]) -> str:
    if one.default in ("", MISSING):
        return "(empty)"
    return f"`{str(one.default).lower() if one.type == 'bool' else one.default}`"
