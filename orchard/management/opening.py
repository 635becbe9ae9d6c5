"""How a process gets hold of the state engine at its start, or ends with one line."""

from __future__ import annotations

import logging

from django.core.management.base import CommandError

from orchard.services import EngineAway, get_engine, upgrading

log = logging.getLogger("orchard.upgrades")


def open_engine(*, upgrades: bool = False) -> None:
    """Open the state engine; one that is elsewhere may be away.

    With ``upgrades``, older state is brought to this release's version where no other process
    works with the engine.

    Raises:
        CommandError: an engine of our own does not start, or stands still for too long; or the
            state there is too old for this release, or cannot be upgraded.
    """
    try:
        get_engine()
    except EngineAway as away:
        raise CommandError(f"the state engine does not start: {away}") from None
    if upgrades and upgrading.is_our_own():
        _upgrade()
    _check_state()


def _upgrade() -> None:
    try:
        found = upgrading.describe()
        if found is None or not upgrading.is_behind(found):
            return
        log.info("the state is of version %d: it is upgraded", found.version)
        report = upgrading.upgrade_alone(lambda tally: None)
    except (EngineAway, upgrading.UpgradeRefused) as fault:
        raise CommandError(f"the state cannot be upgraded: {fault}") from None
    changed = sum(tally.changed for tally in report.steps)
    log.info("the state is of version %d now: %d records changed", report.to_version, changed)


def _check_state() -> None:
    """Refuse state that is too old, and tell of state that is to be upgraded."""
    try:
        found = upgrading.describe()
    except EngineAway:
        return  # whoever asks it something is told
    if found is None:
        return
    if refusal := upgrading.find_refusal(found):
        raise CommandError(refusal)
    if upgrading.is_behind(found):
        log.warning(
            "the state is of version %d, and this release writes version %d: once all processes"
            " are of this release, run `manage.py upgrade`",
            found.version, upgrading.RELEASE.version,
        )  # fmt: skip
