"""Issues as the pages show them: with a title, a countdown and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchard.web import issue_words
from orchard.web.words import Word
from statecore import codec
from statecore.domain import events
from statecore.domain.issues import ERROR_COUNT, RETRY_COUNT, Issue
from statecore.domain.orphans import Orphan

TITLE_MAX = 300
TITLE_NAMES = ("title", "issueTitle", "issue_title")
"""Names under which programs write an issue's title into its record."""


@dataclass(frozen=True)
class ShownIssue:
    """An issue, and why it counts as an orphan (or nothing)."""

    issue: Issue
    reason: str
    lease_ms: int
    """How long leases last that asked for no time of their own."""
    limit_ms: int
    """How long holders may be silent that asked for no time of their own."""

    @property
    def title(self) -> str:
        return find_title(self.issue)

    @property
    def state(self) -> str:
        """Its state, for colours: an orphan has one of its own."""
        return "orphaned" if self.reason else str(self.issue.status)

    @property
    def label(self) -> Word:
        return issue_words.ISSUE_STATES[self.issue.status]

    @property
    def reason_words(self) -> Word:
        return issue_words.ORPHAN_REASONS.get(self.reason, self.reason)

    @property
    def whole_ms(self) -> int:
        """How long its lease lasts from a sign of life on."""
        return self.issue.ttl_ms or self.lease_ms

    @property
    def may_be_silent_ms(self) -> int:
        return self.issue.ttl_ms or self.limit_ms

    @property
    def falls_at(self) -> datetime | None:
        """When it will count as an orphan, if nothing is heard of its holder."""
        heard = self.issue.last_heartbeat or self.issue.start_time
        silent = heard + timedelta(milliseconds=self.may_be_silent_ms) if heard else None
        times = [at for at in (self.issue.lease_until, silent) if at]
        return min(times) if self.issue.is_held and times else None

    @property
    def since(self) -> datetime | None:
        """When its state began, as far as its record tells."""
        one = self.issue
        return one.start_time if one.is_held else one.last_updated or one.end_time

    @property
    def errors(self) -> int:
        return _count(self.issue.metadata, ERROR_COUNT)

    @property
    def retries(self) -> int:
        return _count(self.issue.metadata, RETRY_COUNT)

    @property
    def error(self) -> str:
        """What the last check-in said of a failure."""
        result = self.issue.result
        found = result.get("error") if isinstance(result, Mapping) else None
        return found[:500] if isinstance(found, str) else ""

    @property
    def record(self) -> str:
        """The record as JSON, for the eye."""
        return json.dumps(codec.issue_record(self.issue), ensure_ascii=False, indent=2)

    @property
    def more(self) -> list[tuple[str, str]]:
        """What the record says besides what has a place of its own."""
        one = self.issue
        facts = {**one.other, **{k: v for k, v in one.metadata.items() if k not in _OWN_PLACE}}
        if one.result is not None:
            facts["result"] = one.result
        return [(name, _plain(value)) for name, value in facts.items() if name not in TITLE_NAMES]


@dataclass(frozen=True)
class Happening:
    """One line of an issue's history."""

    name: str
    at: datetime
    words: str
    state: str


_OWN_PLACE = (ERROR_COUNT, RETRY_COUNT)


def find_title(issue: Issue) -> str:
    """The title in an issue's record, when there is one."""
    for name in TITLE_NAMES:
        if isinstance(title := issue.other.get(name), str) and title.strip():
            return title.strip()[:TITLE_MAX]
    return ""


def show_issues(
    found: Sequence[Issue], orphans: Sequence[Orphan], lease_ms: int, limit_ms: int
) -> list[ShownIssue]:
    """Issues as the pages show them; ``orphans`` are all that there are."""
    reasons = {one.issue.number: one.reason for one in orphans}
    return [ShownIssue(issue, reasons.get(issue.number, ""), lease_ms, limit_ms) for issue in found]


def show_history(found: Sequence[events.Event]) -> list[Happening]:
    """What has happened to an issue, in words."""
    return [
        Happening(
            str(one.__struct_config__.tag), one.at, issue_words.tell_event(one),
            issue_words.state_after(one),
        )
        for one in found
    ]  # fmt: skip


def _count(metadata: Mapping[str, Any], name: str) -> int:
    value = metadata.get(name)
    return value if isinstance(value, int) else 0


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 2000 else f"{text[:2000]}…"
