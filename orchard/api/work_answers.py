"""Shapes of answers to workers, for the API document: who they are, what they got, what counts."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from orchard.domain.nodes import Condition
from orchard.domain.quality import REASONS as DOUBTS
from statecore.api.documents import example

CHUNK_STATUSES = ("waiting", "running", "completed", "failed")
WORKER_STATUSES = ("online", "busy", "offline")
OUTCOMES = ("accepted", "repeated", "refused")
CONDITIONS = tuple(map(str, Condition))


class NodeHealthAnswer(serializers.Serializer):
    """How a push node is doing."""

    condition = serializers.ChoiceField(CONDITIONS)
    reason = serializers.CharField(required=False)
    failures = serializers.IntegerField(required=False, help_text="Failures in a row.")
    checked_at = serializers.DateTimeField(required=False)
    retry_at = serializers.DateTimeField(required=False, help_text="It gets no chunk before.")
    failed_on = serializers.ListField(child=serializers.CharField(), required=False)


class WorkerAnswer(serializers.Serializer):
    """One worker."""

    worker_id = serializers.CharField()
    url = serializers.CharField()
    status = serializers.ChoiceField(WORKER_STATUSES)
    is_processing = serializers.BooleanField()
    last_updated = serializers.DateTimeField()
    metadata = serializers.DictField()
    pending_chunks = serializers.ListField(child=serializers.CharField())
    performance_history = serializers.ListField(child=serializers.DictField())
    draining = serializers.BooleanField(required=False)
    paused = serializers.BooleanField(required=False)
    node = NodeHealthAnswer(required=False, help_text="How a push node is doing.")
    types = serializers.ListField(
        child=serializers.CharField(), required=False,
        help_text="The types of jobs that it does; `audio` unless given.",
    )  # fmt: skip
    labels = serializers.ListField(child=serializers.CharField(), required=False)
    heartbeat_s = serializers.FloatField(required=False)
    lease_s = serializers.FloatField(required=False)


class WorkersAnswer(serializers.Serializer):
    """All workers."""

    workers = WorkerAnswer(many=True)
    count = serializers.IntegerField()


class HeartbeatAnswer(serializers.Serializer):
    """Which leases were extended, and which are lost."""

    worker = WorkerAnswer()
    extended = serializers.ListField(child=serializers.CharField())
    lost = serializers.ListField(child=serializers.CharField())


class WishesAnswer(serializers.Serializer):
    """What the sender of a recording wishes of those who transcribe it."""

    prompt = serializers.CharField(required=False)
    hot_words = serializers.ListField(child=serializers.CharField(), required=False)
    words = serializers.BooleanField(
        required=False, help_text="`false` when times of single words are not wanted."
    )


class AgainAnswer(serializers.Serializer):
    """Why a chunk is done a second time, and how."""

    reason = serializers.ChoiceField(DOUBTS, help_text="What was doubtful about the first result.")
    settings = serializers.CharField(help_text="`careful`: rather no words than invented ones.")


class ClaimedAnswer(serializers.Serializer):
    """One chunk that the worker holds now."""

    chunk_id = serializers.CharField()
    job_id = serializers.CharField()
    index = serializers.IntegerField()
    token = serializers.IntegerField()
    attempts = serializers.IntegerField()
    is_duplicate = serializers.BooleanField(
        help_text="Whether another worker has it, too; the first valid result counts."
    )
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    language = serializers.CharField(allow_null=True)
    wishes = WishesAnswer(required=False, help_text="There is none when nothing is wished.")
    again = AgainAnswer(required=False, help_text="There when a doubtful text is to be bettered.")
    audio_url = serializers.CharField()
    job_type = serializers.CharField(
        required=False, help_text="What kind of work it is; `audio` unless given."
    )
    facts = serializers.DictField(
        required=False, help_text="What the type of the job notes of the chunk."
    )
    traceparent = serializers.CharField(
        required=False,
        help_text="The span that the worker's own belongs in, where there are traces.",
    )
    lease_s = serializers.FloatField()
    deadline = serializers.DateTimeField()


@extend_schema_serializer(
    examples=[
        example("one chunk", {
            "chunks": [{
                "chunk_id": "4f2a9c1be07d3386_chunk_0", "job_id": "4f2a9c1be07d3386", "index": 0,
                "token": 1, "attempts": 1, "is_duplicate": False, "start_ms": 0, "end_ms": 48250,
                "duration_ms": 48250, "language": None, "lease_s": 30.0,
                "deadline": "2026-11-21T08:00:30Z",
                "audio_url": "/api/v1/chunks/4f2a9c1be07d3386_chunk_0/audio",
            }],
            "draining": False,
        }),
    ]
)  # fmt: skip
class ClaimAnswer(serializers.Serializer):
    """The chunks that were claimed; none when the wait was in vain."""

    chunks = ClaimedAnswer(many=True)
    draining = serializers.BooleanField()


class DeadlineAnswer(serializers.Serializer):
    """When the lease runs out unless it is extended."""

    deadline = serializers.DateTimeField()


class AcceptedAnswer(serializers.Serializer):
    """The result counts; ``repeated`` when it was reported before."""

    accepted = serializers.BooleanField()
    repeated = serializers.BooleanField()
    doubted = serializers.ListField(
        child=serializers.ChoiceField(DOUBTS), required=False,
        help_text="Why the chunk is done once more before anything counts.",
    )  # fmt: skip


class FailedAnswer(serializers.Serializer):
    """What becomes of the chunk."""

    status = serializers.ChoiceField(CHUNK_STATUSES)


class SaidAnswer(serializers.Serializer):
    """What became of one report of an exchange."""

    chunk_id = serializers.CharField()
    outcome = serializers.ChoiceField(OUTCOMES)
    status = serializers.CharField(required=False, help_text="The chunk's, or its job's.")
    code = serializers.CharField(required=False, help_text="Why it was refused, for programs.")
    error = serializers.CharField(required=False, help_text="Why it was refused, in words.")
    holder = serializers.CharField(required=False, help_text="Who holds the chunk now.")
    doubted = serializers.ListField(
        child=serializers.ChoiceField(DOUBTS), required=False,
        help_text="Why the chunk is done once more before anything counts.",
    )  # fmt: skip


class ExchangeAnswer(serializers.Serializer):
    """What became of each report, in the order sent, and the chunks that the worker gets."""

    worker = WorkerAnswer()
    results = SaidAnswer(many=True)
    failures = SaidAnswer(many=True)
    progress = SaidAnswer(many=True)
    extended = serializers.ListField(child=serializers.CharField())
    lost = serializers.ListField(child=serializers.CharField())
    chunks = ClaimedAnswer(many=True)
    draining = serializers.BooleanField()
