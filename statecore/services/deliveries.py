"""Delivering label requests: claimed under a lease, handed to a port, and noted."""

from __future__ import annotations

import logging
from pathlib import Path

from statecore import keys
from statecore.domain.errors import StateError
from statecore.domain.labels import LabelRequest
from statecore.domain.lifecycle import LabelStatus
from statecore.ports.deliveries import Delivery, DeliveryFailed, DeliveryRefused
from statecore.services import labels
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.steps import Steps

logger = logging.getLogger(__name__)

BATCH = 10


def deliver_batch(store: Store, delivery: Delivery) -> int:
    """Deliver the requests that are due, at most ``BATCH``; how many were tried.

    Raises:
        StoreUnavailable: the state engine cannot be reached; what was claimed comes back later.
    """
    claimed = store.run(labels.claim(BATCH))
    held_up: set[int] = set()
    for request in claimed:
        if request.issue in held_up:
            store.run(labels.hand_back(request.request_id))
        elif not _deliver(store, request, delivery):
            held_up.add(request.issue)
    return len(claimed)


def _deliver(store: Store, request: LabelRequest, delivery: Delivery) -> bool:
    """Hand a request over and note what came of it; false when it is to be tried again."""
    try:
        noted = store.run(_outcome(request, delivery))
    except StateError as moved:  # noted by somebody else, or deleted by hand meanwhile
        logger.info("Label request %s: %s", request.request_id, moved)
        return True
    return noted.status is not LabelStatus.QUEUED


def deliver_to_files(store: Store, state_dir: Path) -> None:
    """Write all due requests to request files, unless an ambassador is active.

    For programs that use the state without a site beside it (CONTRACTS section 3).
    """
    from statecore.ports.request_files import RequestFiles

    (keeper,) = store.read(ops.Key(keys.KEEPER))
    if keeper is not None:
        return
    delivery = RequestFiles(state_dir)
    while deliver_batch(store, delivery) == BATCH:
        pass


def _outcome(request: LabelRequest, delivery: Delivery) -> Steps[LabelRequest]:
    """Hand a request over, and what to note of it."""
    try:
        delivery.deliver(request)
    except DeliveryRefused as refused:
        return labels.mark_failed(request.request_id, str(refused), final=True)
    except DeliveryFailed as failed:
        return labels.mark_failed(
            request.request_id, str(failed), retry_after_s=failed.retry_after_s
        )
    return labels.mark_sent(request.request_id)
