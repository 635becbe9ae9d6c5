"""The numbers at the top of the engine page, with their units and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orchard.services import upgrading
from orchard.services.upgrading import Schema
from orchard.web.words import Word
from statecore.domain.health import EngineFacts
from statecore.services.health import Health


class Tile(NamedTuple):
    """A number, what it is, and what it means."""

    label: Word
    value: Word
    note: Word = ""
    share: float | None = None
    """How much of its limit it is, when it has one."""


def tiles(found: Health) -> list[Tile]:
    """The numbers at the top; what an engine does not tell has no tile."""
    facts, now = found.facts, found.now
    told = [
        _memory(facts), _disk(facts), _clients(facts),
        _told(_("Operations a second"), facts.ops_per_s, str),
        Tile(
            _("A read takes"), show_ms(now.p50_ms),
            gettext("19 of 20 at most %(time)s") % {"time": show_ms(now.p95_ms)},
        ),
        _told(_("Running for"), facts.uptime_s, span), _told(_("Keys"), facts.keys, str),
    ]  # fmt: skip
    return [tile for tile in told if tile]


def version_tile(schema: Schema | None) -> list[Tile]:
    """Of which version the state is, and whether an upgrade is due; none where it is in memory."""
    if schema is None:
        return []
    note = gettext("release %(name)s") % {"name": schema.release} if schema.release else ""
    if upgrading.is_behind(schema):
        begun, due = gettext("an upgrade was begun"), gettext("an upgrade is due")
        note = begun if schema.upgrading else due
    return [Tile(_("Version of the state"), f"{schema.version}", note)]


def show_ms(value: float) -> str:
    """A time in milliseconds, with as many digits as matter."""
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def span(seconds: int) -> str:
    """A time in its two largest units."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if hours:
        return gettext("%(h)d h %(m)d min") % {"h": hours, "m": minutes % 60}
    return gettext("%(m)d min") % {"m": minutes} if minutes else gettext("%(s)d s") % {"s": seconds}


def _memory(facts: EngineFacts) -> Tile | None:
    if facts.memory_bytes is None:
        return None
    limit = facts.memory_limit_bytes
    note = gettext("of %(limit)s") % {"limit": filesizeformat(limit)} if limit else ""
    peak = gettext("at most %(peak)s so far") % {
        "peak": filesizeformat(facts.memory_peak_bytes or 0)
    }
    return Tile(
        _("Memory"), filesizeformat(facts.memory_bytes), note or f"{gettext('no limit')}, {peak}",
        facts.memory_share,
    )  # fmt: skip


def _disk(facts: EngineFacts) -> Tile | None:
    if facts.disk_bytes is None:
        return None
    free = gettext("%(free)s free on the disk") % {
        "free": filesizeformat(facts.disk_free_bytes or 0)
    }
    return Tile(_("Files"), filesizeformat(facts.disk_bytes), free)


def _clients(facts: EngineFacts) -> Tile | None:
    if facts.clients is None:
        return None
    limit = gettext("of %(limit)s") % {"limit": facts.clients_limit} if facts.clients_limit else ""
    return Tile(_("Clients"), f"{facts.clients}", limit)


def _told(label: Word, number: int | None, show: Callable[[int], str]) -> Tile | None:
    return None if number is None else Tile(label, show(number))
