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
