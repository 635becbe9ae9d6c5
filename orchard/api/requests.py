"""Shapes of forms and queries. Agents' bodies are in :mod:`orchard.api.bodies`."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from orchard.catalogue.finding import SORTS
from orchard.domain.orders import AUDIO
from orchard.domain.wishes import HOT_WORDS_MAX, PROMPT_MAX_CHARS
from orchard.services.queries import JOB_STATUSES, MAX_PAGE
from statecore.api.requests import CURSOR, SecondsField

JOB_SORTS = tuple(SORTS)


@extend_schema_field(OpenApiTypes.BINARY)
class RecordingField(serializers.FileField):
    """The file itself (an address would be what the document says of a plain field)."""


class SaidField(serializers.BooleanField):
    """Yes or no, and in a form, too, nothing is not no."""

    default_empty_html = empty


class SubmitForm(serializers.Serializer):
    """A recording to transcribe."""

    file = RecordingField(
        max_length=1000,
        help_text="wav, mp3, m4a, ogg, opus, flac, webm, or the sound of mp4 and mkv.",
        error_messages={"required": "No file provided", "null": "No file provided"},
    )
    purifier = serializers.BooleanField(
        required=False, allow_null=True, default=None,
        help_text="Whether to clean the sound; the sender's preference unless given.",
    )  # fmt: skip
    language = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=100,
        help_text="What is spoken, such as `en`; recognized from the sound unless given, "
        "or when it is `auto`.",
    )  # fmt: skip
    prompt = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=PROMPT_MAX_CHARS,
        help_text="Words in the style of the recording, which a transcriber reads first.",
    )  # fmt: skip
    hot_words = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=10_000),
        required=False, default=list, max_length=HOT_WORDS_MAX,
        help_text="Names and terms that are likely to be said: the field several times, or "
        "several with commas between them.",
    )  # fmt: skip
    words = SaidField(
        required=False, default=True, help_text="Whether to keep the times of single words."
    )
    type = serializers.CharField(
        required=False, default=AUDIO, max_length=32,
        help_text="What kind of work the file is; a recording unless given.",
    )  # fmt: skip
    priority = serializers.CharField(
        required=False, default="normal", max_length=10,
        help_text="`low`, `normal`, `high`, or from 0 to 9; the greatest go first.",
    )  # fmt: skip
    requires = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=1000), required=False,
        default=list, max_length=20,
        help_text="Labels that its workers must have: the field several times, or several "
        "with commas between them.",
    )  # fmt: skip
    run_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None,
        help_text="Not to begin before this time; in the site's time zone, unless it names one.",
    )  # fmt: skip


class JobQuery(serializers.Serializer):
    """Which jobs to list."""

    q = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200,
        help_text="Words that the name or the id must have in it, all of them, in any case.",
    )  # fmt: skip
    status = serializers.ChoiceField(JOB_STATUSES, required=False, default=None)
    sort = serializers.ChoiceField(
        JOB_SORTS, required=False, default=JOB_SORTS[0],
        help_text="`newest` and `oldest` by creation, `changed` by the last change; without "
        "other words, `newest` lists ended jobs of one state by when they ended.",
    )  # fmt: skip
    limit = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=50)
    cursor = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=3000,
        help_text="The field `next` of the page before.",
    )  # fmt: skip


class LimitQuery(serializers.Serializer):
    """How many jobs to list."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=50)


class EventQuery(serializers.Serializer):
    """Which events to list; ``wait_s`` waits for the first."""

    cursor = serializers.RegexField(
        CURSOR, required=False, default="", allow_blank=True,
        help_text="The field `cursor` of the answer before; empty for all that are kept, "
        "`$` for those from now on.",
    )  # fmt: skip
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)
    wait_s = SecondsField(min_value=0, max_value=30, default=0)


class CaptionQuery(serializers.Serializer):
    """How subtitles have to be; naming one of the limits asks for the rules, too."""

    rules = serializers.BooleanField(
        default=False,
        help_text="Of `srt` and `vtt`: short lines that can be read, as broadcasters want them; "
        "else one block for each line that was heard.",
    )
    line_chars = serializers.IntegerField(
        required=False, min_value=8, max_value=200,
        help_text="Characters of a line: 42, or 16 of full width, unless given.",
    )  # fmt: skip
    lines = serializers.IntegerField(
        required=False, min_value=1, max_value=2, help_text="Lines of a caption: 2 unless given."
    )
    max_s = serializers.FloatField(
        required=False, min_value=1, max_value=60, help_text="Longest: 7 seconds unless given."
    )
    min_s = serializers.FloatField(
        required=False, min_value=0, max_value=5,
        help_text="Shortest, where the next one lets it: 5/6 of a second unless given.",
    )  # fmt: skip
    gap_ms = serializers.IntegerField(
        required=False, min_value=0, max_value=1000,
        help_text="Between two captions: two frames (84 ms) unless given.",
    )  # fmt: skip
    chars_per_s = serializers.FloatField(
        required=False, min_value=1, max_value=100,
        help_text="What can be read in a second: 20, or 7 of full width, unless given.",
    )  # fmt: skip


class TranscriptQuery(CaptionQuery):
    """Which text of a transcript, and how it is written."""

    edited = serializers.BooleanField(
        default=False, help_text="As people have edited it; else as it was heard."
    )
    words = serializers.BooleanField(
        default=False,
        help_text="Of `json`: with the times of words, and how sure the workers were.",
    )


class AudioQuery(serializers.Serializer):
    """Whose sound it is."""

    token = serializers.IntegerField(
        min_value=0, max_value=2**53, required=False, allow_null=True, default=None,
        help_text="Fencing token: refused when somebody else holds the chunk now.",
    )  # fmt: skip


class PinForm(serializers.Serializer):
    """Whether to keep a finished job beyond its hour."""

    pinned = serializers.BooleanField(default=True)


class UrlForm(serializers.Serializer):
    """The address of a worker."""

    url = serializers.CharField(
        max_length=300, allow_blank=True, allow_null=True, default="",
        help_text="`http://` is added when there is no scheme.",
    )  # fmt: skip


class PurifierForm(serializers.Serializer):
    """Whether recordings are cleaned."""

    usePurifier = SaidField()  # noqa: N815 - the contract's spelling
