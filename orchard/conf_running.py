"""The settings of what runs on this machine: what ``make run`` starts, and how much it may take."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_values import setting

LEAVABLE = ("pipeline", "ambassador", "dispatch")
"""Processes that a site may do without, or have on other machines."""


def _is_leavable(value: str) -> str:
    names = split_names(value)
    return "" if names <= set(LEAVABLE) else f"{', '.join(LEAVABLE)} with commas between"


def split_names(value: str) -> set[str]:
    """The names in a list with commas."""
    return {name.strip() for name in value.split(",")} - {""}


@dataclass(frozen=True, kw_only=True)
class RunningConf:
    """What processes can be told; a small board leaves out what it has no use for."""

    agents: int = setting(
        2, "ORCHARD_AGENTS", "Agents that make run starts on this machine.", low=0, high=64
    )
    without: str = setting(
        "", "ORCHARD_WITHOUT",
        "Processes that make run leaves out, with commas between: pipeline, ambassador, dispatch.",
        check=_is_leavable,
    )  # fmt: skip
    pipeline_memory_mb: int = setting(
        48, "ORCHARD_PIPELINE_MEMORY_MB",
        "Memory that the recordings of one pipeline process may take together, in MB. It works on "
        "one for each 24 MB, and on no more than there are processors.", low=24, high=1_000_000,
    )  # fmt: skip
