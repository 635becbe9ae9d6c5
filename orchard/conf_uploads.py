"""The settings of resumable uploads."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_values import setting


@dataclass(frozen=True, kw_only=True)
class UploadsConf:
    """How patient the site is with those who send a recording in parts."""

    upload_ttl_s: float = setting(
        86_400.0, "ORCHARD_UPLOAD_TTL_S",
        "How long a resumable upload is kept since its last byte came in, in seconds.",
        low=1, high=31 * 86_400,
    )  # fmt: skip
    upload_idle_s: float = setting(
        20.0, "ORCHARD_UPLOAD_IDLE_S",
        "Silence after which a part of a resumable upload counts as cut off, in seconds.",
        low=0.1, high=3600,
    )  # fmt: skip
