"""What Schemathesis is told about every request: nobody waits long for what does not come."""

from __future__ import annotations

from typing import Any

import schemathesis

PATIENCE_S = 0.01
LONGEST_S = 60


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Shorten the waits that are allowed; one that is not must be refused as it is."""
    for where in (case.query, case.body):
        if isinstance(where, dict) and _is_wait(where.get("wait_s")):
            where["wait_s"] = type(where["wait_s"])(PATIENCE_S)


def _is_wait(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return PATIENCE_S < float(value) <= LONGEST_S
    except (ValueError, OverflowError):
        return False


@schemathesis.serializer("application/offset+octet-stream")
def part_of_an_upload(context: Any, value: Any) -> bytes:
    """A part of a resumable upload: its bytes, as they are."""
    raw: bytes = getattr(value, "data", value)
    return raw if isinstance(raw, bytes) else str(raw).encode()
