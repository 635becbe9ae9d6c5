"""``/v1/``: the part of OpenAI's API that a fleet can serve, for programs that speak it already."""

from __future__ import annotations

from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.errors import TooLarge
from orchard.api.jobs import IDEMPOTENCY_KEY, idempotency_key
from orchard.api.openai_errors import (
    JOB_HEADER,
    OpenAiErrorAnswer,
    Reshaping,
    UnknownModel,
)
from orchard.api.openai_forms import (
    FORMS,
    GRANULARITIES,
    ModelAnswer,
    ModelsAnswer,
    TranscriptionAnswer,
    TranscriptionForm,
)
from orchard.api.openai_shapes import short_shape, verbose_shape
from orchard.api.openai_waiting import await_transcript
from orchard.api.permissions import owner_of
from orchard.api.views import AsyncView, View, parse
from orchard.conf import get_conf
from orchard.conf_openai import model_names
from orchard.domain import transcripts
from orchard.domain.jobs import Job
from orchard.domain.wishes import make_wishes
from orchard.services import queries, run, uploads
from statecore.api.documents import described as documented

MODELS = ("orchard", "whisper-1")
"""Names of models that there are always; whichever is named, the fleet does what it can."""
CAME_BY = "openai"

_described = partial(documented, error=OpenAiErrorAnswer, tags=["openai"])
_JOB = OpenApiParameter(
    JOB_HEADER, str, OpenApiParameter.HEADER, response=[200], description="The id of the job."
)


class Transcriptions(Reshaping, AsyncView):
    """A recording goes in, and the answer is its transcript."""

    scopes = ("submit",)
    parser_classes = (MultiPartParser,)
    is_hot = False

    @_described(
        {
            (200, "application/json"): TranscriptionAnswer,
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "application/x-subrip"): OpenApiTypes.STR,
            (200, "text/vtt"): OpenApiTypes.STR,
        },
        operation_id="openai_transcribe", parameters=[IDEMPOTENCY_KEY, _JOB],
        request={"multipart/form-data": TranscriptionForm},
        refusals={
            400: "A field is wrong, or the recording cannot be read as sound",
            404: "There is no such model, or the job was deleted meanwhile",
            409: "The job was cancelled", 413: "The recording is too large",
            415: "The body is no form", 500: "The job failed",
            504: "It is not transcribed in time; the job goes on",
        },
    )  # fmt: skip
    async def post(self, request: Request) -> HttpResponse:
        """Transcribe a recording, and wait for it; a lost connection does not end the job."""
        job, form, dated = await sync_to_async(_submit)(request)
        repeatable = bool(request.headers.get("Idempotency-Key"))
        await await_transcript(job, get_conf().openai_wait_s, repeatable=repeatable)
        return await sync_to_async(_answer)(job.job_id, form, dated)


class Models(Reshaping, View):
    """All names of models."""

    @_described(ModelsAnswer, operation_id="openai_list_models")
    def get(self, request: Request) -> Response:
        """The names that a request may have in its field ``model``."""
        return Response({"object": "list", "data": [_model(name) for name in known_models()]})


class OneModel(Reshaping, View):
    """One name of a model."""

    @_described(
        ModelAnswer, operation_id="openai_get_model", refusals={404: "There is no such model"}
    )
    def get(self, request: Request, model: str) -> Response:
        """A name that a request may have in its field ``model``."""
        return Response(_model(_check_model(model)))


def known_models() -> list[str]:
    """The names of all models, each once."""
    return list(dict.fromkeys([*MODELS, *model_names(get_conf().openai_models)]))


def _submit(request: Request) -> tuple[Job, str, list[str]]:
    """The job of a request, with the format of its answer, and what is to have times in it."""
    form = parse(TranscriptionForm, request.data)
    _check_model(form["model"])
    if (form["file"].size or 0) > get_conf().upload_max_bytes:
        raise TooLarge
    job, _ = uploads.submit(
        form["file"], owner=owner_of(request), language=form["language"],
        idempotency_key=idempotency_key(request), came_by=CAME_BY,
        wishes=make_wishes(form["prompt"]),
    )  # fmt: skip
    # The wait may be long, and what was spooled of the body takes room as long as it is open.
    form["file"].close()
    request._request._stream.close()
    return job, form["response_format"], form.get(GRANULARITIES, [])


def _answer(job_id: str, form: str, dated: list[str]) -> HttpResponse:
    view = run(queries.get_transcript(job_id))
    headers = {JOB_HEADER: job_id}
    if form in ("json", "verbose_json"):
        shape = verbose_shape(view, dated) if form == "verbose_json" else short_shape(view)
        answer: HttpResponse = Response(shape, headers=headers)
        return answer
    text = transcripts.render(view.transcript, FORMS[form])
    kind = transcripts.CONTENT_TYPES[FORMS[form]]
    return HttpResponse(text, content_type=kind, headers=headers)


def _check_model(name: str) -> str:
    if name not in known_models():
        raise UnknownModel(name)
    return name


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "orchard"}
