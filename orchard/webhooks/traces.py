"""Traces of webhooks: a span for each attempt, inside that of its job; nothing without traces.

Where a message goes, what it says and what was answered is not told: there may be a name in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from orchard.services import EngineAway, EngineBusy, run, traces
from orchard.tracing import get_spans
from orchard.webhooks.models import Delivery
from orchard.webhooks.posting import Outcome

UNHEARD = "unheard"
"""The kind of failure of an attempt that was not answered."""


def tell_attempt(delivery: Delivery, outcome: Outcome, begun: datetime) -> None:
    """A span of one attempt at a delivery that is over, if this process has traces."""
    if (spans := get_spans()) is None:
        return
    facts: dict[str, str | int | float | bool] = {
        "http.request.method": "POST", "orchard.webhook.id": delivery.endpoint.uid,
        "orchard.webhook.type": delivery.type, "orchard.webhook.message": delivery.message_id,
        "orchard.webhook.attempt": delivery.attempts + 1,
    }  # fmt: skip
    if outcome.status is not None:
        facts["http.response.status_code"] = outcome.status
    kind, _, name = delivery.subject.partition(":")
    if kind in ("job", "issue"):
        facts["orchard.job.id" if kind == "job" else "orchard.issue"] = name
    failure = str(outcome.status or UNHEARD) if outcome.error else ""
    spans.tell(
        "webhook", facts, parent=_parent(name) if kind == "job" else "", begun=begun,
        ended=begun + timedelta(milliseconds=outcome.took_ms), kind="client", error=failure,
    )  # fmt: skip


def _parent(job_id: str) -> str:
    """The span of the job; none when it has no trace, is gone, or cannot be asked for now."""
    try:
        return run(traces.find_parent(job_id))
    except (EngineAway, EngineBusy):
        return ""
