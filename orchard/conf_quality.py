"""The setting of the quality guard."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_values import setting


@dataclass(frozen=True, kw_only=True)
class QualityConf:
    """Whether results are looked at before they count."""

    quality_guard: bool = setting(
        True, "ORCHARD_QUALITY_GUARD",
        "Whether a chunk with a doubtful text (a loop, improbable words, text over silence) is"
        " done once more, and what stays doubtful is marked.",
    )  # fmt: skip
