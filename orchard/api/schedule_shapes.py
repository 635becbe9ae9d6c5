"""Shapes of schedules: what is sent to make and change them, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from rest_framework import serializers

from orchard.api.requests import SubmitForm
from orchard.domain.jobs import Wishes
from orchard.domain.orders import Order, parse_labels, parse_priority
from orchard.domain.schedules import CRON_MAX, NAME_MAX, Schedule

ZONE_MAX = 60

Name = Annotated[str, Meta(max_length=NAME_MAX)]
Cron = Annotated[str, Meta(max_length=CRON_MAX, examples=["30 6 * * MON-FRI"])]
Zone = Annotated[str, Meta(max_length=ZONE_MAX, examples=["Europe/Berlin"])]
Labels = Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=20)]


class ScheduleForm(SubmitForm):
    """A file to be handed in again and again."""

    run_at = None  # it has times of its own
    name = serializers.CharField(max_length=NAME_MAX)
    cron = serializers.CharField(
        max_length=CRON_MAX,
        help_text="When: minute, hour, day of the month, month and day of the week, such as "
        "`30 6 * * MON-FRI`.",
    )  # fmt: skip
    time_zone = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=ZONE_MAX,
        help_text="Of these times, such as `Europe/Berlin`; the site's unless given.",
    )  # fmt: skip


class UpdateScheduleBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change; the rest stays."""

    name: Name | UnsetType = UNSET
    cron: Cron | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    priority: Annotated[str, Meta(max_length=10)] | UnsetType = UNSET
    requires: Labels | UnsetType = UNSET

    def facts(self, order: Order) -> dict[str, Any]:
        """What was given, by the names of :class:`~orchard.domain.schedules.Schedule`.

        Raises:
            InvalidInput: a priority or a label is none.
        """
        named = {
            "name": self.name, "cron": self.cron, "time_zone": self.time_zone,
            "is_enabled": self.enabled, "order": self._order(order),
        }  # fmt: skip
        return {name: value for name, value in named.items() if value is not UNSET}

    def _order(self, order: Order) -> Order:
        if self.priority is not UNSET:
            order = msgspec.structs.replace(order, priority=parse_priority(self.priority))
        if self.requires is not UNSET:
            labels = parse_labels("requires", self.requires)
            order = msgspec.structs.replace(order, requires=labels)
        return order


BODIES = (UpdateScheduleBody,)


class ScheduleAnswer(serializers.Serializer):
    """One schedule."""

    schedule_id = serializers.CharField()
    name = serializers.CharField()
    owner = serializers.CharField(help_text="In whose name its jobs are handed in.")
    cron = serializers.CharField()
    time_zone = serializers.CharField()
    enabled = serializers.BooleanField()
    next_at = serializers.DateTimeField(
        allow_null=True, help_text="When it is handed in next; never while it is disabled."
    )
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="The time for which it was handed in last, or tried to be."
    )
    last_job_id = serializers.CharField(help_text="The job of that time; empty if there is none.")
    last_error = serializers.CharField(help_text="Why there is none.")
    filename = serializers.CharField()
    size = serializers.IntegerField()
    type = serializers.CharField()
    priority = serializers.IntegerField()
    requires = serializers.ListField(child=serializers.CharField())
    language = serializers.CharField()
    purifier = serializers.BooleanField(
        allow_null=True, help_text="Whether the sound is cleaned; its owner's preference if null."
    )
    prompt = serializers.CharField()
    hot_words = serializers.ListField(child=serializers.CharField())
    words = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class SchedulesAnswer(serializers.Serializer):
    """All schedules."""

    schedules = ScheduleAnswer(many=True)
    count = serializers.IntegerField()


def schedule_shape(one: Schedule) -> dict[str, Any]:
    """A schedule as it is answered."""
    wishes = one.wishes or Wishes()
    return {
        "schedule_id": one.schedule_id, "name": one.name, "owner": one.owner, "cron": one.cron,
        "time_zone": one.time_zone, "enabled": one.is_enabled, "next_at": one.next_at,
        "last_at": one.last_at, "last_job_id": one.last_job_id, "last_error": one.last_error,
        "filename": one.filename, "size": one.size, "type": one.order.job_type,
        "priority": one.order.priority, "requires": one.order.requires,
        "language": one.language, "purifier": one.use_purifier, "prompt": wishes.prompt,
        "hot_words": wishes.hot_words, "words": wishes.words, "created_at": one.created_at,
    }  # fmt: skip
