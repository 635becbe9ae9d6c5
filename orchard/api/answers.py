"""Shapes of answers about jobs and the site, for the API document.

What is sent comes from :mod:`orchard.codec`; what workers are answered is in
:mod:`orchard.api.work_answers`.
"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from orchard.api.work_answers import CHUNK_STATUSES, WORKER_STATUSES, WishesAnswer
from orchard.domain.quality import REASONS as DOUBTS
from orchard.services.lacks import REASONS as LACKS
from orchard.services.queries import JOB_STATUSES
from statecore.api.documents import example


class PlainErrorAnswer(serializers.Serializer):
    """What a refusal looks like on the contract's own paths."""

    error = serializers.CharField()


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


class WaitsForAnswer(serializers.Serializer):
    """What a job lacks to be begun by a worker."""

    reason = serializers.ChoiceField(LACKS)
    message = serializers.CharField(help_text="The same in words.")
    help = serializers.CharField(help_text="What helps.")
    labels = serializers.ListField(
        child=serializers.CharField(), required=False,
        help_text="What the job demands, when no worker that is online has all of it.",
    )  # fmt: skip


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
    waits_for = WaitsForAnswer(
        required=False,
        help_text="Of one job that is asked for: why its chunks wait, when no worker can begin.",
    )


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
