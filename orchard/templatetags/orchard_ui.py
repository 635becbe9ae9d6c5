"""Tags and filters of the pages: icons, times, durations, maps and small pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from orchard.roles import Role, has_role
from orchard.services.accepting import title_of
from orchard.web import chunk_map, navigation
from orchard.web.cleanup_words import FILTERS
from orchard.web.shown import ShownJob
from orchard.web.words import QUESTIONS, explain_error

register = template.Library()

THEMES = ("light", "dark")
ASSUMED_WIDTH = 720.0
"""The width a map is drawn for before the browser tells the real one, in pixels."""


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """The look that this browser was told to keep, or ``auto``."""
    request = context.get("request")
    wanted = request.COOKIES.get("theme", "") if request else ""
    return wanted if wanted in THEMES else "auto"


@register.simple_tag(takes_context=True)
def header_links(context: dict[str, Any]) -> list[navigation.Link]:
    """The links of the header, as seen from this page."""
    return navigation.header_links(context.get("page", ""))


@register.simple_tag(takes_context=True)
def neighbours(context: dict[str, Any]) -> list[navigation.Link]:
    """The links to the pages beside this one."""
    user = getattr(context.get("request"), "user", None)
    return navigation.neighbours(context.get("page", ""), user) if user else []


@register.simple_tag(takes_context=True)
def is_admin(context: dict[str, Any]) -> bool:
    """Whether who looks is an admin."""
    user = getattr(context.get("request"), "user", None)
    return user is not None and has_role(user, Role.ADMIN)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture from the sprite, for the eye only."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("orchard/icons.svg"),
        name,
    )


@register.filter
def stylesheets(names: str) -> list[str]:
    """The addresses of our style sheets."""
    return [static(f"orchard/{name}.css") for name in names.split()]


@register.filter
def type_title(name: str) -> str:
    """What a type of jobs is called."""
    return gettext(title_of(name))


@register.filter
def filter_word(name: str) -> Any:
    """What a filter of the cleanup page is called."""
    return FILTERS.get(name, name)


@register.filter
def words(text: str) -> list[str]:
    """The words of a text, one by one."""
    return text.split()


@register.filter
def unlocalized(number: float) -> str:
    """A number as attributes want it, whatever the language."""
    return f"{number:g}"


@register.filter
def plain_error(error: str) -> str:
    """Why a job failed, in the viewer's language as far as the reason is a known one."""
    return explain_error(error)


@register.simple_tag
def question(name: str) -> str:
    """What is asked before something that cannot be undone."""
    return str(QUESTIONS[name])


@register.filter
def moment(at: datetime | None) -> SafeString:
    """A time that the browser shows in the viewer's zone, and how long ago it is."""
    if at is None:
        return SafeString("—")
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}">{}</time>',
        at.isoformat(timespec="milliseconds"),
        at.strftime("%Y-%m-%d %H:%M UTC"),
    )


@register.filter
def clock(ms: int) -> str:
    """A position in a recording: ``1:02`` or ``1:02:03``."""
    minutes, seconds = divmod(int(ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def times(speed: float | None) -> str:
    """A speed in times of real time, such as ``12×``."""
    if speed is None:
        return "—"
    return f"{speed:.0f}×" if speed >= 10 else f"{speed:.1f}×"


@register.filter
def percent(share: float) -> int:
    """A share of one in whole percent."""
    return int(100 * share)


@register.filter
def chunks_done(job: ShownJob) -> str:
    """How many of a job's chunks are done, in words."""
    total = job.job.total_chunks
    return ngettext("%(done)d of %(total)d chunk", "%(done)d of %(total)d chunks", total) % {
        "done": job.counts["completed"],
        "total": total,
    }


@register.filter
def map_words(job: ShownJob) -> str:
    """What the chunk map shows, in words."""
    return gettext(
        "%(completed)d chunks done, %(running)d in work, %(waiting)d waiting, %(failed)d failed"
    ) % (job.counts)


@register.inclusion_tag("orchard/parts/map.html")
def draw_map(job: ShownJob, size: str) -> dict[str, Any]:
    """The chunk map of a job, ``small`` in lists or ``large`` on its page."""
    grid = chunk_map.lay_out(len(job.cells), ASSUMED_WIDTH, chunk_map.SIZES[size])
    shares = job.shares
    return {
        "job": job, "size": size, "grid": grid, "shares": json.dumps(shares),
        "paths": chunk_map.draw(job.cells, shares, grid).items(),
    }  # fmt: skip


@register.simple_tag
def sparkline(speeds: Sequence[float]) -> SafeString:
    """The last speeds of a worker as a line, newest at the right."""
    if len(speeds) < 2:
        return SafeString("")
    top = max(speeds) or 1
    step = 100 / (len(speeds) - 1)
    points = [f"{i * step:.1f},{26 - 23 * speed / top:.1f}" for i, speed in enumerate(speeds)]
    label = gettext("Speed of the last %(count)d chunks, from %(low)s to %(high)s") % {
        "count": len(speeds), "low": times(min(speeds)), "high": times(max(speeds)),
    }  # fmt: skip
    return format_html(
        '<svg class="sparkline" viewBox="0 0 100 28" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><polygon points="0,28 {} 100,28"/><polyline points="{}"/></svg>',
        label, " ".join(points), " ".join(points),
    )  # fmt: skip
