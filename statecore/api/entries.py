"""``/api/v1/state/<namespace>/<key>``: one value, with a tag for compare-and-set."""

from __future__ import annotations

from typing import Any

from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import DeletedAnswer, EntryAnswer
from statecore.api.documents import described
from statecore.api.namespaces import OfState
from statecore.api.requests import EntryQuery
from statecore.api.shapes import value_of
from statecore.api.signals import anote
from statecore.api.views import AsyncView, parse
from statecore.domain.entries import Entry, Put, check_place, tag_of
from statecore.domain.errors import InvalidInput, UnknownEntry
from statecore.services import arun, namespaced
from statecore.services.values import encode_value

_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER,
    description="The ETag that the entry must still have, or `*` if it must be there.",
)  # fmt: skip
_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="`*` if there must be none yet."
)
_KNOWN = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="ETags of values already known."
)
_ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=[200], description="Stands for this value."
)
_UNCHANGED = OpenApiResponse(description="It is known already")
_CHANGED = {412: "The entry is not what `If-Match` or `If-None-Match` expects"}
_MISSING = {404: "There is no such entry"}


class OneEntry(OfState, AsyncView):
    """One entry. The address ``…/entry?key=`` can name any key, even ``watch``."""

    @described(
        {200: OpenApiTypes.ANY, 304: _UNCHANGED}, query=EntryQuery, parameters=[_KNOWN, _ETAG],
        refusals=_MISSING, operation_id="get_entry",
    )  # fmt: skip
    async def get(self, request: Request, namespace: str, key: str) -> Response:
        """The value itself, as JSON."""
        entry = await arun(namespaced.require(namespace, _key(request, key)))
        headers = {"ETag": _etag(entry), "Cache-Control": "private, no-cache"}
        known = {tag.removeprefix("W/") for tag in parse_etags(_header(request, "If-None-Match"))}
        if known & {"*", _etag(entry)}:
            return Response(status=304, headers=headers)
        return Response(value_of(entry), headers=headers)

    @described(
        EntryAnswer, query=EntryQuery, parameters=[_MATCH, _NONE_MATCH, _ETAG],
        request={"application/json": {}}, operation_id="put_entry",
        refusals=_CHANGED | {413: "The value is larger than it may be"},
    )  # fmt: skip
    async def put(self, request: Request, namespace: str, key: str) -> Response:
        """Set the entry to the value that the body is, ``null`` included."""
        wish = _wish(request, namespace, _key(request, key), _value(request))
        (entry,) = await arun(namespaced.put_many([wish]))
        if entry is None:
            raise UnknownEntry(namespace=namespace, key=wish.key)
        await anote(request, "state.set", f"{namespace}/{wish.key}", version=entry.version)
        shown = {"namespace": namespace, "key": wish.key, "version": entry.version}
        return Response(shown, headers={"ETag": _etag(entry)})

    @described(
        DeletedAnswer, query=EntryQuery, parameters=[_MATCH], refusals=_MISSING | _CHANGED,
        operation_id="delete_entry",
    )  # fmt: skip
    async def delete(self, request: Request, namespace: str, key: str) -> Response:
        """Delete the entry."""
        wish = _wish(request, namespace, _key(request, key), None)
        if not await arun(namespaced.delete_if(wish)):
            raise UnknownEntry(namespace=namespace, key=wish.key)
        await anote(request, "state.delete", f"{namespace}/{wish.key}")
        return Response({"namespace": namespace, "key": wish.key, "deleted": True})


def _key(request: Request, key: str) -> str:
    asked = parse(EntryQuery, request.query_params)
    return str(asked.get("key", key)) if key == "entry" else key


def _value(request: Request) -> bytes:
    if not int(request.META.get("CONTENT_LENGTH") or 0):
        raise InvalidInput("body", "is required: the value as JSON")
    return encode_value(request.data)


def _wish(request: Request, namespace: str, key: str, raw: bytes | None) -> Put:
    check_place(namespace, key)
    return Put(namespace=namespace, key=key, raw=raw, **_conditions(request))


def _conditions(request: Request) -> dict[str, Any]:
    """What the headers want the entry to be.

    Raises:
        InvalidInput: a header is there and makes no sense.
    """
    given, none = _header(request, "If-Match"), _header(request, "If-None-Match")
    if none and none != "*":
        raise InvalidInput("If-None-Match", "can only be * here")
    found: dict[str, Any] = {"if_absent": bool(none)}
    if given == "*":
        found["if_present"] = True
    elif given:
        tags = parse_etags(given)
        if not tags:
            raise InvalidInput("If-Match", "is no list of ETags")
        # A weak tag stands for no exact value, so it matches none.
        found["if_tags"] = frozenset(tag.strip('"') for tag in tags if tag.startswith('"'))
    return found


def _header(request: Request, name: str) -> str:
    return str(request.headers.get(name, "")).strip()


def _etag(entry: Entry) -> str:
    return f'"{tag_of(entry)}"'
