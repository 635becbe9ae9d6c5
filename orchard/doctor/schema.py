"""Whether the state is of the version that this release writes."""

from __future__ import annotations

from collections.abc import Iterator

from orchard.doctor.troubles import Trouble
from orchard.services import upgrading
from orchard.services.upgrading import Schema


def examine_schema(found: Schema | None) -> Iterator[Trouble]:
    """What is to be told of the version that an engine names."""
    if found is None or not upgrading.is_behind(found):
        return
    if found.upgrading:
        yield Trouble(
            "upgrade-begun",
            f"An upgrade of the state to version {found.upgrading.to} was begun: it is under way,"
            " or was ended in the middle.",
            "When nobody does it now, `manage.py upgrade` goes on with it.",
            is_grave=False,
        )
        return
    yield Trouble(
        "upgrade-due",
        f"The state is of version {found.version}; this release writes version"
        f" {upgrading.RELEASE.version}.",
        "Once all processes are of this release: `manage.py upgrade`; --dry-run shows it.",
        is_grave=False,
    )
