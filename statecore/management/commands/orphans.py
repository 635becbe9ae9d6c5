"""``manage.py orphans``: issues whose process is gone, and their repair."""

from __future__ import annotations

import json
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from statecore.domain.orphans import Orphan
from statecore.services import EngineAway, orphans, run
from statecore.wording import comment_on


class Command(BaseCommand):
    """Show the issues that are held by nobody who is alive; with ``--repair`` give them back."""

    help = "Show issues whose process is gone; --repair checks them in as error."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to repair, and in which form to answer."""
        parser.add_argument("--repair", action="store_true", help="check them in as error")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, perhaps repair, and tell."""
        try:
            steps = orphans.repair_all(comment_on) if options["repair"] else orphans.detect()
            found = run(steps)
        except EngineAway as away:
            raise CommandError(f"the state engine is away: {away}") from None
        rows = [_row(orphan) for orphan in found]
        if options["json"]:
            self.stdout.write(json.dumps({"repaired": options["repair"], "orphans": rows}))
        elif rows:
            Console(file=cast(IO[str], self.stdout)).print(_table(rows))
        else:
            self.stdout.write("No orphans.")


def _row(orphan: Orphan) -> dict[str, Any]:
    issue = orphan.issue
    heard = issue.last_heartbeat
    return {
        "issue": issue.number, "reason": orphan.reason, "process_id": issue.process_id,
        "pid": issue.pid, "host": issue.host, "last_heartbeat": heard and heard.isoformat(),
    }  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    return table
