"""``manage.py reset_migration``: lets the next start take over the state files again."""

from __future__ import annotations

from typing import Any

from statecore.management.state_command import StateCommand, opened_store
from statecore.services.migration_flag import FLAG, reset


class Command(StateCommand):
    """Delete the flag of the migration, and nothing else."""

    help = "Forget that state files were taken over, so that the next start does it again."

    def work(self, options: dict[str, Any]) -> None:
        """Delete it, and say whether it was there."""
        with opened_store(options["store"]) as store:
            was_there = store.run(reset())
        text = f"config/{FLAG} is deleted." if was_there else "No files were taken over so far."
        self.answer(options, {"deleted": was_there}, text)
