"""The settings of jobs of all types: which types there are, how much at once, and for whom."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchard.conf_values import setting

_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([.:][A-Za-z_][A-Za-z0-9_]*)+")
_LIMIT = re.compile(r"\s*([a-z][a-z0-9_-]{0,31})\s*=\s*([0-9]{1,6})\s*")


def _is_path_list(value: str) -> str:
    paths = [part.strip() for part in value.split(",") if part.strip()]
    good = all(map(_PATH.fullmatch, paths))
    return "" if good else "dotted paths with commas between, such as acme.jobs.Pages"


def type_limits(value: str) -> dict[str, int]:
    """How many chunks of each type may be with workers at once, by the type's name."""
    parts = [found for part in value.split(",") if (found := _LIMIT.fullmatch(part))]
    return {found[1]: int(found[2]) for found in parts}


def _is_limits(value: str) -> str:
    parts = [part for part in value.split(",") if part.strip()]
    good = all(map(_LIMIT.fullmatch, parts))
    return "" if good else "types with numbers, such as text=4,audio=20"


@dataclass(frozen=True, kw_only=True)
class JobsConf:
    """Which work there is beside recordings, and how much of it anybody may have done."""

    job_types: str = setting(
        "", "ORCHARD_JOB_TYPES",
        "Further types of jobs, as dotted paths with commas between; those of installed packages"
        " are found by themselves.",
        check=_is_path_list,
    )  # fmt: skip
    job_type_limits: str = setting(
        "", "ORCHARD_JOB_TYPE_LIMITS",
        "Most chunks of a type that are with workers at once, such as text=4,audio=20; no limit"
        " for a type that is not named.",
        check=_is_limits,
    )  # fmt: skip
    quota_jobs: int = setting(
        0, "ORCHARD_QUOTA_JOBS",
        "Most jobs of one owner that have not ended, waiting or running; 0: no limit.",
        low=0, high=10**6,
    )  # fmt: skip
    quota_audio_hours: float = setting(
        0.0, "ORCHARD_QUOTA_AUDIO_HOURS",
        "Most hours of recordings of one owner in a day (UTC); 0: no limit.", low=0, high=10**6,
    )  # fmt: skip
