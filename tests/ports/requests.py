"""Label requests as the queue hands them out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from statecore.domain.labels import LabelRequest


def make_request(request_id: str = "r1", **fields: Any) -> LabelRequest:
    """A request of now for issue 7."""
    fields = {"issue": 7, "requested_at": datetime.now(UTC), "process_id": "process-1"} | fields
    return LabelRequest(request_id=request_id, requested_by="orchard", **fields)
