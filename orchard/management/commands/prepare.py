"""``manage.py prepare``: what a data directory needs, before the processes start one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchard.conf import get_conf
from orchard.first_start import prepare
from orchard.private_files import write_private


class Command(BaseCommand):
    """Bring the database up to date and make sure of administrator and tokens; repeatable."""

    help = "Prepare database, administrator and tokens (``up`` does this itself)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where agents that must not see the data find their token."""
        text = "write the agents' token to this file as well"
        parser.add_argument("--copy-worker-token", type=Path, metavar="FILE", help=text)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, and say where the secrets are."""
        data_dir = get_conf().data_dir.absolute()
        prepare(data_dir)
        if copy := options["copy_worker_token"]:
            write_private(copy, (data_dir / "worker_token").read_text().strip())
        self.stdout.write(f"Prepared. Tokens: {data_dir}/token, {data_dir}/worker_token")
