"""Exchanges: a worker hands in results and gets the next chunks in one call."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchard.domain.errors import OrchardError
from orchard.services.claims import Claimed, claim
from orchard.services.reports import Accepted, Report, complete_many
from statecore.store.steps import Steps


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the reports, and what the worker holds now in addition."""

    outcomes: list[Accepted | OrchardError]
    claimed: list[Claimed]


def exchange(worker_id: str, reports: Sequence[Report], *, max_chunks: int) -> Steps[Exchanged]:
    """Accept results, then claim up to ``max_chunks``; raises as :func:`claims.claim` does."""
    outcomes = yield from complete_many(reports)
    claimed = yield from claim(worker_id, max_chunks)
    return Exchanged(outcomes=outcomes, claimed=claimed)
