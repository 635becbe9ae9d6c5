"""Shapes of queries. Bodies are in :mod:`statecore.api.bodies`."""

from __future__ import annotations

import math
from typing import Any

from rest_framework import serializers

from statecore.api.answers import ISSUE_STATUSES, LABEL_STATUSES
from statecore.domain.names import KEY_MAX
from statecore.services.issue_lists import MAX_PAGE

_POSITION = r"\.?\d{1,19}(-\d{1,20})?"
CURSOR = rf"^(\$|{_POSITION}|({_POSITION})?(~({_POSITION})?){{1,1023}})$"
"""A place among the events: one position, or one for each partition with ``~`` between them."""


class SecondsField(serializers.FloatField):
    """A number of seconds; neither infinite nor not a number."""

    def to_internal_value(self, data: Any) -> float:
        """The number.

        Raises:
            ValidationError: it is none.
        """
        value: float = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class PageQuery(serializers.Serializer):
    """Which page to list."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=50)
    cursor = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=300,
        help_text="The field `next` of the page before.",
    )  # fmt: skip


class IssueQuery(PageQuery):
    """Which issues to list."""

    status = serializers.ChoiceField(ISSUE_STATUSES, required=False, default=None)


class LabelQuery(PageQuery):
    """Which label requests to list."""

    status = serializers.ChoiceField(LABEL_STATUSES, required=False, default="queued")


class HistoryQuery(serializers.Serializer):
    """Which events of an issue to list."""

    cursor = serializers.RegexField(
        CURSOR, required=False, default="", allow_blank=True,
        help_text="The field `cursor` of the answer before; empty for all that are kept.",
    )  # fmt: skip
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)


class WatchQuery(serializers.Serializer):
    """Which changes to list; ``wait_s`` waits for the first."""

    cursor = serializers.RegexField(
        CURSOR, required=False, default="", allow_blank=True,
        help_text="The field `cursor` of the answer before, or of the namespace; "
        "empty for changes from now on.",
    )  # fmt: skip
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)
    wait_s = SecondsField(min_value=0, max_value=60, default=0)


class EntryQuery(serializers.Serializer):
    """The key, when it is not the end of the address."""

    key = serializers.CharField(
        required=False, trim_whitespace=False, max_length=KEY_MAX,
        help_text="The key of the entry, if the address ends in `/entry`: so any key can be "
        "named, even `watch`, one with a slash in front, or `..`.",
    )  # fmt: skip


class ReleaseQuery(serializers.Serializer):
    """Who gives a lock back, when there is no body."""

    owner = serializers.CharField(required=False, max_length=KEY_MAX, trim_whitespace=False)
    token = serializers.IntegerField(required=False, min_value=0, max_value=2**53)
