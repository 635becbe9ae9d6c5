"""Shapes of answers, for the API document. What is sent is made in :mod:`statecore.api.shapes`."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from statecore.api.documents import example
from statecore.domain.lifecycle import IssueStatus, LabelStatus

ISSUE_STATUSES = tuple(str(status) for status in IssueStatus)
LABEL_STATUSES = tuple(str(status) for status in LabelStatus)

_HELD = {
    "issue": 123, "status": "processing", "process_id": "agent-7", "pid": 4242, "host": "attic",
    "task_type": "claude-cli", "start_time": "2026-11-21T08:00:00.000Z",
    "last_heartbeat": "2026-11-21T08:00:00.000Z", "end_time": None,
    "last_updated": "2026-11-21T08:00:00.000Z", "result": None,
    "metadata": {"retryCount": 0, "errorCount": 0}, "checked_out_by": "agent-7",
    "token": 1795248000000, "lease_until": "2026-11-21T08:05:00.000Z", "ttl_s": None, "other": {},
}  # fmt: skip


@extend_schema_serializer(examples=[example("checked out", _HELD)])
class IssueAnswer(serializers.Serializer):
    """The record of an issue; what is not known is null."""

    issue = serializers.IntegerField(help_text="Its number.")
    status = serializers.ChoiceField(ISSUE_STATUSES)
    process_id = serializers.CharField(allow_null=True, help_text="Who holds it.")
    pid = serializers.IntegerField(allow_null=True)
    host = serializers.CharField(allow_null=True)
    task_type = serializers.CharField(allow_null=True)
    start_time = serializers.DateTimeField(allow_null=True)
    last_heartbeat = serializers.DateTimeField(allow_null=True)
    end_time = serializers.DateTimeField(allow_null=True)
    last_updated = serializers.DateTimeField(allow_null=True)
    result = serializers.JSONField(help_text="What the last check-in brought.")
    metadata = serializers.DictField()
    checked_out_by = serializers.CharField(allow_null=True, help_text="Who held it last.")
    token = serializers.IntegerField(allow_null=True, help_text="Fencing token of the check-out.")
    lease_until = serializers.DateTimeField(allow_null=True)
    ttl_s = serializers.FloatField(allow_null=True, help_text="The lease it asked for.")
    other = serializers.DictField(help_text="What older programs have added.")


class IssuesAnswer(serializers.Serializer):
    """One page of issues, those first whose state changed last."""

    issues = IssueAnswer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")
    count = serializers.IntegerField(help_text="How many there are on all pages.")
    damaged = serializers.ListField(
        child=serializers.IntegerField(), help_text="Issues of this page that cannot be read."
    )


class IssueBeatAnswer(IssueAnswer):
    """Whether somebody holds the issue, and its record if so."""

    alive = serializers.BooleanField()

    def get_fields(self) -> dict[str, serializers.Field]:
        """The fields; without a holder there is nothing but ``alive``."""
        fields: dict[str, serializers.Field] = super().get_fields()
        for name, field in fields.items():
            field.required = name == "alive"
        return fields


class StatisticsAnswer(serializers.Serializer):
    """How many issues are in which state."""

    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    processing = serializers.IntegerField()
    completed = serializers.IntegerField()
    error = serializers.IntegerField()
    awaiting_response = serializers.IntegerField()
    orphaned = serializers.IntegerField()


class HistoryAnswer(serializers.Serializer):
    """The events of one issue, oldest first; ``reset`` when some are no longer kept."""

    events = serializers.ListField(child=serializers.DictField())
    cursor = serializers.CharField(help_text="Where to go on from.")
    reset = serializers.BooleanField()


class OrphanAnswer(serializers.Serializer):
    """An issue whose process is gone, and how that was noticed."""

    issue = serializers.IntegerField()
    reason = serializers.CharField()
    process_id = serializers.CharField(allow_null=True)
    pid = serializers.IntegerField(allow_null=True)
    host = serializers.CharField(allow_null=True)
    last_heartbeat = serializers.DateTimeField(allow_null=True)


class OrphansAnswer(serializers.Serializer):
    """All orphans, or those that were repaired."""

    orphans = OrphanAnswer(many=True)
    count = serializers.IntegerField()


class ProcessAnswer(serializers.Serializer):
    """One process."""

    process_id = serializers.CharField()
    pid = serializers.IntegerField(allow_null=True)
    host = serializers.CharField(allow_null=True)
    role = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    task_type = serializers.CharField(allow_null=True)
    issue_number = serializers.IntegerField(
        allow_null=True, help_text="The issue it checked out last."
    )
    last_seen = serializers.DateTimeField(allow_null=True)
    end_time = serializers.DateTimeField(allow_null=True)
    final_status = serializers.CharField(allow_null=True)
    issues = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="What it holds."
    )
    ttl_s = serializers.FloatField(
        required=False, help_text="How long it counts as alive without a heartbeat."
    )


class ProcessesAnswer(serializers.Serializer):
    """One page of the active processes, those heard of last first."""

    processes = ProcessAnswer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")
    count = serializers.IntegerField(help_text="How many there are on all pages.")


class ProcessBeatAnswer(serializers.Serializer):
    """How long the process now counts as alive."""

    process_id = serializers.CharField()
    ttl_s = serializers.FloatField()


class EndedAnswer(serializers.Serializer):
    """A process that was ended, and the issues that it had to give back."""

    process_id = serializers.CharField()
    issues = serializers.ListField(child=serializers.IntegerField())


class ZombiesAnswer(serializers.Serializer):
    """Processes that were silent for too long."""

    processes = serializers.ListField(child=serializers.CharField())
    count = serializers.IntegerField()


class CleanedAnswer(serializers.Serializer):
    """The zombies that were ended."""

    processes = EndedAnswer(many=True)
    count = serializers.IntegerField()


class LockAnswer(serializers.Serializer):
    """A lock that somebody holds."""

    name = serializers.CharField()
    owner = serializers.CharField()
    token = serializers.IntegerField(help_text="To pass on to what the lock protects.")
    ttl_s = serializers.FloatField()
    acquired_at = serializers.DateTimeField()
    lease_until = serializers.DateTimeField()


class LocksAnswer(serializers.Serializer):
    """One page of the locks that are held, those first whose lease ends first."""

    locks = LockAnswer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")
    count = serializers.IntegerField(help_text="How many there are on all pages.")


class ReleasedAnswer(serializers.Serializer):
    """The lock is free."""

    name = serializers.CharField()
    released = serializers.BooleanField()


class NamespaceCountAnswer(serializers.Serializer):
    """A namespace, and how many entries it has."""

    namespace = serializers.CharField()
    count = serializers.IntegerField()


class NamespacesAnswer(serializers.Serializer):
    """All namespaces."""

    namespaces = NamespaceCountAnswer(many=True)
    count = serializers.IntegerField()


class NamespaceAnswer(NamespaceCountAnswer):
    """All entries of a namespace, at one moment."""

    values = serializers.DictField(help_text="Value by key.")
    versions = serializers.DictField(child=serializers.IntegerField())
    cursor = serializers.CharField(help_text="Where to watch from.")


class EntryAnswer(serializers.Serializer):
    """An entry that was set, or deleted (``version`` 0)."""

    namespace = serializers.CharField()
    key = serializers.CharField()
    version = serializers.IntegerField()


class DeletedAnswer(serializers.Serializer):
    """The entry is gone."""

    namespace = serializers.CharField()
    key = serializers.CharField()
    deleted = serializers.BooleanField()


class EntriesAnswer(serializers.Serializer):
    """What a transaction has changed, in its order."""

    entries = EntryAnswer(many=True)


class ChangedAnswer(serializers.Serializer):
    """An entry before and after; null where there is no value (``version`` 0: deleted)."""

    key = serializers.CharField()
    old = serializers.JSONField()
    new = serializers.JSONField()
    version = serializers.IntegerField()
    cursor = serializers.CharField()
    at = serializers.DateTimeField()


class ChangesAnswer(serializers.Serializer):
    """Changes in order; after a ``reset`` the namespace must be read again."""

    changes = ChangedAnswer(many=True)
    cursor = serializers.CharField(help_text="Where to go on from.")
    reset = serializers.BooleanField()


class LabelAnswer(serializers.Serializer):
    """A request to change the labels of an issue, or to comment on it."""

    request_id = serializers.CharField()
    issue = serializers.IntegerField()
    status = serializers.ChoiceField(LABEL_STATUSES)
    requested_at = serializers.DateTimeField()
    add = serializers.ListField(child=serializers.CharField())
    remove = serializers.ListField(child=serializers.CharField())
    comment = serializers.CharField(allow_blank=True)
    requested_by = serializers.CharField()
    process_id = serializers.CharField(allow_null=True)
    attempts = serializers.IntegerField()
    not_before = serializers.DateTimeField(allow_null=True, help_text="When it is tried again.")
    sent_at = serializers.DateTimeField(allow_null=True)
    errors = serializers.ListField(child=serializers.CharField())


class LabelsAnswer(serializers.Serializer):
    """One page of label requests, the newest first."""

    labels = LabelAnswer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")
    count = serializers.IntegerField(help_text="How many there are on all pages.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By status.")


class RetriedAnswer(serializers.Serializer):
    """How many requests are tried again, and how many failed ones are left."""

    retried = serializers.IntegerField()
    left = serializers.IntegerField()
