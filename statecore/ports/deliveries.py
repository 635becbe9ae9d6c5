"""Where label requests go: what every delivery promises, and the two ways it fails."""

from __future__ import annotations

from typing import Protocol

from statecore.domain.labels import LabelRequest


class DeliveryRefused(Exception):
    """A label request will never be delivered as it is; the message says why in plain words."""


class DeliveryFailed(Exception):
    """A label request was not delivered this time; later it may be."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        """How long the other side asks to be left alone, in seconds; ``None`` when it does not."""


class Delivery(Protocol):
    """Brings label requests to whoever keeps the labels; the same one twice does no harm.

    One delivery may be used from several threads at once.
    """

    def deliver(self, request: LabelRequest) -> None:
        """Deliver one request: all of it, or an error that says whether to try again.

        Raises:
            DeliveryRefused: it will never work.
            DeliveryFailed: it did not work now.
        """

    def close(self) -> None:
        """Let go of what the delivery holds; it is not used afterwards."""
