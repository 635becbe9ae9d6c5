"""The settings of access: how much guests may ask, and how often they may guess."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_values import setting


@dataclass(frozen=True, kw_only=True)
class AccessConf:
    """What the doors can be told."""

    proxies: int = setting(
        0, "ORCHARD_PROXIES",
        "How many proxies stand before the site; guests' addresses are what these pass on.",
        low=0, high=10,
    )  # fmt: skip
    login_attempts: int = setting(
        10, "ORCHARD_LOGIN_ATTEMPTS",
        "Wrong passwords for one name, or from one address, until both have to wait.",
        low=1, high=100,
    )  # fmt: skip
    login_pause_s: float = setting(
        900.0, "ORCHARD_LOGIN_PAUSE_S", "How long they have to wait then, in seconds.",
        low=1, high=86_400,
    )  # fmt: skip
    throttle_known: int = setting(
        3000, "ORCHARD_THROTTLE_KNOWN", "Requests that one token or person may make in a minute.",
        low=1, high=10**9,
    )  # fmt: skip
    throttle_hot: int = setting(
        300_000, "ORCHARD_THROTTLE_HOT",
        "The same on the paths of workers and agents, counted by each web process.",
        low=1, high=10**9,
    )  # fmt: skip
    throttle_strangers: int = setting(
        120, "ORCHARD_THROTTLE_STRANGERS",
        "Requests that one address may make in a minute without signing in.", low=1, high=10**9,
    )  # fmt: skip
