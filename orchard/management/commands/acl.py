"""``manage.py acl``: the line that gives a user of the engine the rights that we need."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchard.services.engine import least_rights


class Command(BaseCommand):
    """Print it; the engine is not asked."""

    help = "Print the ACL line of a user of the state engine with the rights that are needed."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """For whom."""
        parser.add_argument("--user", default="orchard", help="name of the user (orchard)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it; PASSWORD stands for a password of yours."""
        rules = " ".join(least_rights("PASSWORD"))
        self.stdout.write(f"ACL SETUSER {options['user']} {rules}")
