"""``manage.py worker``: an agent, for machines that have the server's code as well."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchard.agent import make_parser, run_agent


class Command(BaseCommand):
    """The same as ``python -m orchard.agent``."""

    help = "Run an agent: it transcribes chunks for a master."

    def add_arguments(self, parser: CommandParser) -> None:
        """The agent's own options."""
        make_parser(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C."""
        sys.exit(run_agent(argparse.Namespace(**options)))
