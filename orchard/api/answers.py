"""Shapes of answers, for the API document. What is sent comes from :mod:`orchard.codec`."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from orchard.domain.nodes import Condition
from orchard.domain.quality import REASONS as DOUBTS
from orchard.services.queries import JOB_STATUSES
from statecore.api.documents import example

CHUNK_STATUSES = ("waiting", "running", "completed", "failed")
WORKER_STATUSES = ("online", "busy", "offline")
OUTCOMES = ("accepted", "repeated", "refused")
CONDITIONS = tuple(map(str, Condition))


class PlainErrorAnswer(serializers.Serializer):
    """What a refusal looks like on the contract's own paths."""

    error = serializers.CharField()


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


class DoubtAnswer(serializers.Serializer):
    """What was doubtful about a chunk's first result, and which of two counts."""

    at = serializers.DateTimeField()
    worker_id = serializers.CharField(help_text="Whose result it was.")
    reasons = serializers.ListField(child=serializers.ChoiceField(DOUBTS))
    chosen = serializers.CharField(
        required=False, help_text="`first` or `second`, once that is decided."
    )
    left = serializers.ListField(
        child=serializers.ChoiceField(DOUBTS), required=False,
        help_text="What is doubtful about the one that counts.",
    )  # fmt: skip


class ChunkAnswer(serializers.Serializer):
    """One chunk of a job."""

    chunk_id = serializers.CharField()
    index = serializers.IntegerField()
    start_ms = serializers.IntegerField(help_text="On the timeline of the recording.")
    end_ms = serializers.IntegerField()
    worker_url = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(CHUNK_STATUSES)
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.FloatField(required=False)
    result_summary = serializers.DictField(child=serializers.IntegerField(), required=False)
    doubt = DoubtAnswer(required=False, help_text="There when its first result was doubtful.")


class WordAnswer(serializers.Serializer):
    """One word, on the timeline of the recording."""

    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    text = serializers.CharField()
    confidence = serializers.FloatField(required=False, help_text="From 0 to 1.")


class LineAnswer(serializers.Serializer):
    """One line of a transcript, on the timeline of the recording."""

    start = serializers.CharField(help_text="HH:MM:SS.mmm")
    end = serializers.CharField()
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    text = serializers.CharField()
    speaker = serializers.CharField(required=False, help_text="Where a worker told speakers apart.")
    words = WordAnswer(
        many=True, required=False, help_text="With `words`, where workers gave them."
    )
    avg_logprob = serializers.FloatField(required=False, help_text="With `words`, as the others.")
    no_speech_prob = serializers.FloatField(required=False)
    compression_ratio = serializers.FloatField(required=False)
    doubts = serializers.ListField(
        child=serializers.ChoiceField(DOUBTS), required=False,
        help_text="Why the line is doubtful, where it is.",
    )  # fmt: skip


@extend_schema_serializer(
    examples=[
        example("two lines", {
            "text": "Good morning. Let us begin.", "segments_count": 2,
            "total_processing_time_ms": 1830,
            "segments": [
                {"start": "00:00:00.320", "end": "00:00:01.200", "start_ms": 320, "end_ms": 1200,
                 "text": "Good morning."},
                {"start": "00:00:01.900", "end": "00:00:03.050", "start_ms": 1900, "end_ms": 3050,
                 "text": "Let us begin."},
            ],
        }),
    ]
)  # fmt: skip
class ResultAnswer(serializers.Serializer):
    """A transcript as the contract has it; ``partial`` while more is to come."""

    text = serializers.CharField()
    segments_count = serializers.IntegerField()
    total_processing_time_ms = serializers.IntegerField()
    segments = LineAnswer(many=True)
    output = serializers.CharField(
        required=False, help_text="The file that a job of another type led to, by its name."
    )
    language = serializers.CharField(required=False, help_text="What was spoken, by its code.")
    partial = serializers.BooleanField(required=False)


class JobAnswer(serializers.Serializer):
    """One job with its chunks."""

    job_id = serializers.CharField()
    filename = serializers.CharField()
    status = serializers.ChoiceField(JOB_STATUSES)
    total_chunks = serializers.IntegerField()
    completed_chunks = serializers.IntegerField()
    failed_chunks = serializers.IntegerField(required=False)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    chunks = ChunkAnswer(many=True)
    result = ResultAnswer(required=False)
    error = serializers.CharField(required=False, help_text="Why it failed.")
    owner = serializers.CharField(required=False)
    came_by = serializers.CharField(
        required=False, help_text="The door it came in by, such as `openai`; none for our own."
    )
    language = serializers.CharField(required=False, help_text="As its sender said.")
    wishes = WishesAnswer(required=False)
    duration_ms = serializers.IntegerField(required=False)
    pinned = serializers.BooleanField(required=False)
    trace = serializers.CharField(
        required=False, help_text="The `traceparent` it came in by, where there are traces."
    )
    job_type = serializers.CharField(
        required=False, help_text="What kind of work it is; `audio` unless given."
    )
    priority = serializers.IntegerField(required=False, help_text="From 0 to 9; 5 unless given.")
    requires = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Labels its workers must have."
    )
    run_at = serializers.DateTimeField(required=False, help_text="It does not begin before.")


class JobsAnswer(serializers.Serializer):
    """One page of jobs."""

    jobs = JobAnswer(many=True)
    count = serializers.IntegerField(
        allow_null=True,
        help_text="How many there are on all pages; null when a search finds too many to count.",
    )
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")


class OldJobsAnswer(serializers.Serializer):
    """The newest jobs."""

    jobs = JobAnswer(many=True)
    count = serializers.IntegerField(help_text="How many are listed here.")


class NodeAnswer(serializers.Serializer):
    """One worker as the contract has it."""

    id = serializers.CharField()
    url = serializers.CharField()
    status = serializers.ChoiceField(WORKER_STATUSES)


class NodesAnswer(serializers.Serializer):
    """All workers as the contract has them."""

    workers = NodeAnswer(many=True)
    count = serializers.IntegerField()


@extend_schema_serializer(
    examples=[example("accepted", {"status": "accepted", "job_id": "4f2a9c1be07d3386"})]
)
class SubmitAnswer(serializers.Serializer):
    """The recording was accepted."""

    status = serializers.CharField(help_text="Always `accepted`.")
    job_id = serializers.CharField()


@extend_schema_serializer(
    examples=[
        example("a small fleet", {
            "workers": {"total": 3, "online": 1, "busy": 1, "offline": 1},
            "jobs": {"total": 12, "active": 2, "completed": 9},
        }),
    ]
)  # fmt: skip
class StatsAnswer(serializers.Serializer):
    """Counts of workers and jobs."""

    workers = serializers.DictField(child=serializers.IntegerField())
    jobs = serializers.DictField(child=serializers.IntegerField())


class EventsAnswer(serializers.Serializer):
    """Events in order; ``reset`` when some after the cursor are no longer there."""

    events = serializers.ListField(child=serializers.DictField())
    cursor = serializers.CharField(help_text="Where to go on from.")
    reset = serializers.BooleanField()
