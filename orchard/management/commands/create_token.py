"""``manage.py create_token``: a key for a program or for an agent on another machine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from orchard.tokens import SCOPES, create_token
from orchard.witness import note_command


class Command(BaseCommand):
    """Make a token and print its secret, which is shown this once."""

    help = "Make a token and print it; it is not shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """What the token is for."""
        parser.add_argument("name", help="what it is for, such as the phone's name")
        parser.add_argument("--scope", action="append", choices=SCOPES, required=True)
        parser.add_argument("--owner", default="admin", help="user in whose name it acts")
        parser.add_argument("--days", type=int, help="how long it counts (default: no end)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token."""
        owner = User.objects.filter(username=options["owner"], is_active=True).first()
        if owner is None:
            raise CommandError(f"there is no active user named {options['owner']!r}")
        days = options["days"]
        if days is not None and not 0 < days <= 36_500:
            raise CommandError("--days: from 1 to 36500")
        ends = timezone.now() + timedelta(days=days) if days else None
        name, scopes = options["name"], sorted(set(options["scope"]))
        with transaction.atomic():
            _, secret = create_token(name, scopes, owner=owner, expires_at=ends)
            note_command("token.create", name, scopes=scopes, owner=owner.username, days=days)
        self.stdout.write(secret)
