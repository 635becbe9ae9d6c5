"""What tests of the state side's API share: both kinds of store, and the usual requests."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

API = "/api/v1"


BOTH_STORES = pytest.mark.parametrize("store", ["memory", "redis"], indirect=True)


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """The answer to a body in JSON; header names with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(client, method)(
        f"{API}/{path}", {} if body is None else body, content_type="application/json",
        headers=named,
    )  # fmt: skip


def check_out(client: Client, number: int = 123, process_id: str = "p1", **more: Any) -> dict:
    """The record of an issue that was just checked out."""
    answer = send(client, "post", f"issues/{number}/checkout", {"process_id": process_id, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def check_in(client: Client, number: int = 123, **body: Any) -> Any:
    """The answer to a check-in."""
    return send(client, "post", f"issues/{number}/checkin", body)
