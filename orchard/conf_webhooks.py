"""The settings of webhooks: where they may go, and how patient one is with who hears them."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_nodes import is_network_list
from orchard.conf_values import setting


@dataclass(frozen=True, kw_only=True)
class WebhooksConf:
    """What the sender of webhooks can be told."""

    webhook_networks: str = setting(
        "", "ORCHARD_WEBHOOK_NETWORKS",
        "Private networks that webhooks may be sent into, with commas between; public addresses"
        " are always allowed, metadata addresses never.",
        check=is_network_list,
    )  # fmt: skip
    webhook_timeout_s: float = setting(
        10.0, "ORCHARD_WEBHOOK_TIMEOUT_S",
        "Longest that the receiver of a webhook may take over its answer, in seconds.",
        low=0.1, high=60,
    )  # fmt: skip
    webhook_keep_days: float = setting(
        30.0, "ORCHARD_WEBHOOK_KEEP_DAYS",
        "How long it is kept what was sent to webhooks, in days.",
        low=1, high=3660,
    )  # fmt: skip
