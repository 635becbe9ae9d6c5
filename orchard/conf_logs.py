"""The settings of the logbook: how long and how much is kept."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_values import setting


@dataclass(frozen=True, kw_only=True)
class LogsConf:
    """What the logbook can be told."""

    log_max_age_days: float = setting(
        30.0, "ORCHARD_LOG_MAX_AGE_DAYS", "How long log lines are kept, in days.",
        low=0.01, high=3660,
    )  # fmt: skip
    log_max_bytes: int = setting(
        500_000_000, "ORCHARD_LOG_MAX_BYTES",
        "Most room that log lines take with their index, in bytes; the oldest are forgotten first.",
        low=5_000_000, high=2**40,
    )  # fmt: skip
