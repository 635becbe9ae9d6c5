"""``manage.py prepare``: what a data directory needs, before the processes start one by one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orchard.conf import get_conf
from orchard.first_start import prepare


class Command(BaseCommand):
    """Bring the database up to date and make sure of administrator and tokens; repeatable."""

    help = "Prepare database, administrator and tokens (``up`` does this itself)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, and say where the secrets are."""
        data_dir = get_conf().data_dir.absolute()
        prepare(data_dir)
        self.stdout.write(f"Prepared. Tokens: {data_dir}/token, {data_dir}/worker_token")
