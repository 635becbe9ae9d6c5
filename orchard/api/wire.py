"""JSON on the wire: strict on the way in, plain on the way out, and never negotiated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

DEEPEST = 20
"""How deep free-form JSON may be nested."""


class JsonParser(BaseParser):
    """Bodies in JSON; what other programs could not read later is refused here."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The value of a body.

        Raises:
            ParseError: it is not JSON, or holds a NUL character or a broken one.
        """
        raw = stream.read()
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as fault:
            raise ParseError(f"The body is not valid JSON: {fault}") from None
        if b"\\u0000" in raw and _has_nul(value):
            raise ParseError("The body has a NUL character in it")
        return value


class JsonRenderer(BaseRenderer):
    """Answers in JSON, dates as ISO in UTC."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, media_type: Any = None, renderer_context: Any = None) -> bytes:
        """The body of an answer."""
        return b"" if data is None else msgspec.json.encode(data, enc_hook=str)


class AlwaysJson(BaseContentNegotiation):
    """Every answer is JSON, whatever the caller says that it accepts."""

    def select_parser(self, request: Request, parsers: Sequence[Any]) -> Any:
        """The parser of the body's content type, if there is one."""
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: Sequence[Any], format_suffix: Any = None
    ) -> tuple[Any, str]:
        """The first one."""
        return renderers[0], renderers[0].media_type


def depth(value: Any) -> int:
    """How many objects and lists stand inside each other, up to one more than is allowed."""
    level, inner = 0, [value]
    while level <= DEEPEST:
        inner = [v for one in inner for v in _children(one)]
        if not inner:
            return level
        level += 1
    return level


def _children(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping):
        return list(value.values()) or [None]
    return (value or [None]) if isinstance(value, list) else ()


def _has_nul(value: Any) -> bool:
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str) and "\0" in one:
            return True
        if isinstance(one, Mapping):
            rest += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            rest += one
    return False
