"""Bodies in JSON, checked while they are read, with the field and the reason when they fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from rest_framework.parsers import BaseParser

from statecore import codec
from statecore.domain.errors import InvalidInput

B = TypeVar("B", bound=msgspec.Struct)
Refusal = Callable[[str, str], Exception]
"""Makes an error of a field and a reason."""


def parse_body(shape: type[B], given: Any, refusal: Refusal = InvalidInput) -> B:
    """The checked content of a body.

    Raises:
        InvalidInput: it has another shape (or whatever ``refusal`` makes of that);
            names the field and the reason.
    """
    try:
        return msgspec.convert(given, shape)
    except msgspec.ValidationError as fault:
        raise refusal(*_explained(str(fault))) from None


def _explained(fault: str) -> tuple[str, str]:
    reason, _, place = fault.partition(" - at ")
    field = place.strip("`").removeprefix("$").strip(".")
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", reason):
        return ".".join(filter(None, [field, missing[1]])), "is required"
    return field or "body", reason


class ExactJson(BaseParser):
    """Bodies in JSON that are kept as they are: numbers of any size, each key once."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The value of a body.

        Raises:
            InvalidInput: it is no JSON, or holds half a character.
        """
        raw: bytes = stream.read()
        try:
            text = raw.decode()
        except UnicodeDecodeError as fault:
            raise InvalidInput("body", f"is not UTF-8: {fault}") from None
        value = codec.decode_json(text, "body")
        if r"\ud" in text.lower():
            codec.encode_json(value, "body")
        return value
