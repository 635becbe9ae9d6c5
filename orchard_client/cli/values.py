"""What people type, and what is meant by it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import typer

from orchard_client.cli import wording

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_json(text: str) -> Any:
    """A value as JSON.

    Raises:
        BadParameter: it is none.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as fault:
        raise typer.BadParameter(wording.NOT_JSON.format(reason=fault)) from fault


def parse_time(text: str) -> datetime:
    """A moment, or how long it is ago.

    Raises:
        BadParameter: it is neither.
    """
    if found := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as fault:
        raise typer.BadParameter(wording.NOT_TIME.format(text=text)) from fault
