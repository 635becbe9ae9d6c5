"""``manage.py sign_in_link``: a one-time way in, for somebody at the machine."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from orchard.hosts import own_address
from orchard.sign_in import create_link
from orchard.witness import note_command


class Command(BaseCommand):
    """Print a link that signs one user in, once, within an hour."""

    help = "Print a link that signs a user in, once, within an hour."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom to sign in."""
        parser.add_argument("username", nargs="?", default="admin")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the link."""
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user named {options['username']!r}")
        with transaction.atomic():
            path = create_link(user)
            note_command("user.link", user.username)
        self.stdout.write(f"{own_address()}{path}")
