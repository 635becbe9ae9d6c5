"""What the OpenAI-compatible API is asked, and what it answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orchard.api.requests import RecordingField
from orchard.domain import wishes
from orchard.domain.languages import NAMES

FORMS = {"json": "json", "text": "txt", "srt": "srt", "vtt": "vtt", "verbose_json": "json"}
"""By OpenAI's name of a format, ours."""
GRANULARITIES = "timestamp_granularities[]"
PROMPT_MAX_CHARS = 10_000


@extend_schema_field({"type": "string", "pattern": "^(segment|word)$"})
class GranularityField(serializers.Field):
    """What is dated: segments, or words."""

    def to_internal_value(self, data: Any) -> Any:
        """The granularity.

        Raises:
            ValidationError: it is neither.
        """
        if data not in ("segment", "word"):
            raise serializers.ValidationError(
                f"must be segment or word, not {data!r}", "invalid_value"
            )
        return data


class TranscriptionForm(serializers.Serializer):
    """A recording to transcribe, in the words of OpenAI's API."""

    file = RecordingField(
        max_length=1000,
        help_text="wav, mp3, m4a, ogg, opus, flac, webm, or the sound of mp4 and mkv.",
        error_messages={"required": "No file provided", "null": "No file provided"},
    )
    model = serializers.CharField(
        max_length=100, help_text="One of `GET /v1/models`; the fleet is the same for all."
    )
    language = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=20,
        help_text="What is spoken, by two letters (ISO 639-1); recognized unless given.",
    )  # fmt: skip
    prompt = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=PROMPT_MAX_CHARS,
        help_text="Words in the style of the recording; the last 2,000 characters are used.",
    )  # fmt: skip
    response_format = serializers.CharField(
        required=False,
        default="json",
        help_text="One of `json`, `text`, `srt`, `vtt`, `verbose_json`.",
    )
    temperature = serializers.FloatField(
        required=False, default=0, min_value=0, max_value=1,
        help_text="From 0 to 1; accepted, and not used.",
    )  # fmt: skip

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields, with the one whose name is none in Python."""
        listed = serializers.ListField(
            child=GranularityField(), required=False, max_length=10,
            help_text="`segment` unless given; `word` for the times of single words, in "
            "`verbose_json` and where the workers give them.",
        )  # fmt: skip
        fields: dict[str, serializers.Field] = super().get_fields()
        return fields | {GRANULARITIES: listed}

    def validate_prompt(self, value: str) -> str:
        """As much of the prompt as a model reads: its end."""
        shown = "".join(sign for sign in " ".join(value.split()) if sign.isprintable())
        return shown[-wishes.PROMPT_MAX_CHARS :]

    def validate_language(self, value: str) -> str:
        """The code in small letters.

        Raises:
            ValidationError: there is no such language.
        """
        code = value.strip().lower()
        if code and code not in NAMES:
            raise serializers.ValidationError(
                f"there is no language {value!r}; it is named by two letters, as in ISO 639-1",
                "invalid_language_format",
            )
        return code

    def validate_response_format(self, value: str) -> str:
        """One of the formats.

        Raises:
            ValidationError: it is none.
        """
        if value not in FORMS:
            raise serializers.ValidationError(
                f"must be one of {', '.join(FORMS)}; not {value!r}", "invalid_value"
            )
        return value


class UsageAnswer(serializers.Serializer):
    """What it cost: the length of the recording."""

    type = serializers.CharField(help_text="Always `duration`.")
    seconds = serializers.FloatField()


class OpenAiWordAnswer(serializers.Serializer):
    """One word."""

    word = serializers.CharField()
    start = serializers.FloatField(help_text="Seconds.")
    end = serializers.FloatField(help_text="Seconds.")


class SegmentAnswer(serializers.Serializer):
    """One line of a transcript; what the workers do not tell is 0 or empty."""

    id = serializers.IntegerField()
    seek = serializers.IntegerField(help_text="Its start, in hundredths of a second.")
    start = serializers.FloatField(help_text="Seconds.")
    end = serializers.FloatField(help_text="Seconds.")
    text = serializers.CharField()
    tokens = serializers.ListField(child=serializers.IntegerField(), help_text="Empty.")
    temperature = serializers.FloatField(help_text="0.")
    avg_logprob = serializers.FloatField(help_text="How sure of its words; 0 for entirely.")
    compression_ratio = serializers.FloatField(help_text="Of the text; above 2.4 it is in a loop.")
    no_speech_prob = serializers.FloatField(help_text="How probable it is that nobody speaks.")


class TranscriptionAnswer(serializers.Serializer):
    """A transcript; the fields after ``usage`` only as ``verbose_json``."""

    text = serializers.CharField()
    usage = UsageAnswer()
    task = serializers.CharField(required=False, help_text="Always `transcribe`.")
    language = serializers.CharField(
        required=False,
        help_text="The name of the language that was asked for, else of what was recognized; "
        "`unknown` when neither is known.",
    )
    duration = serializers.FloatField(required=False, help_text="Seconds.")
    segments = SegmentAnswer(many=True, required=False)
    words = OpenAiWordAnswer(many=True, required=False)


class ModelAnswer(serializers.Serializer):
    """One name of a model."""

    id = serializers.CharField()
    object = serializers.CharField(help_text="Always `model`.")
    created = serializers.IntegerField(help_text="Always 0.")
    owned_by = serializers.CharField(help_text="Always `orchard`.")


class ModelsAnswer(serializers.Serializer):
    """All names of models."""

    object = serializers.CharField(help_text="Always `list`.")
    data = ModelAnswer(many=True)
