"""The settings of the state side: issues, processes, locks, values, label requests."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_values import is_http_url, is_repository, setting

YEAR_S = 366 * 86_400


@dataclass(frozen=True, kw_only=True)
class StateConf:
    """What the issue side can be told."""

    fallback: str = setting(
        "auto", "ORCHARD_FALLBACK",
        "Whether a web server that finds no Redis at its start works in its own memory; auto: the"
        " only one of a machine that has Redis on itself.",
        choices=("auto", "on", "off"),
    )  # fmt: skip
    state_dir: str = setting(
        "", "ORCHARD_STATE_DIR",
        "Folder of request files, and of the state files of older systems; empty: state in the"
        " data folder.",
    )  # fmt: skip
    issue_lease_s: float = setting(
        300.0, "ORCHARD_ISSUE_LEASE_S",
        "How long a process holds an issue unheard before others may take it, in seconds.",
        low=0.1, high=YEAR_S,
    )  # fmt: skip
    issue_silence_s: float = setting(
        30.0, "ORCHARD_ISSUE_SILENCE_S",
        "Silence after which an issue counts as orphaned, in seconds.", low=0.1, high=YEAR_S,
    )  # fmt: skip
    process_ttl_s: float = setting(
        1800.0, "ORCHARD_PROCESS_TTL_S",
        "Silence after which a process counts as dead, in seconds.", low=0.1, high=YEAR_S,
    )  # fmt: skip
    lock_ttl_s: float = setting(
        300.0, "ORCHARD_LOCK_TTL_S", "How long a lock is held unless asked otherwise, in seconds.",
        low=0.1, high=86_400,
    )  # fmt: skip
    value_max_bytes: int = setting(
        1_000_000, "ORCHARD_VALUE_MAX_BYTES",
        "Largest value of namespaced state, in bytes of JSON.", low=1, high=2**28,
    )  # fmt: skip
    labels: str = setting(
        "files", "ORCHARD_LABELS",
        "Where label requests go: request files, a GitHub repository, or nowhere.",
        choices=("files", "github", "off"),
    )  # fmt: skip
    label_max_attempts: int = setting(
        8, "ORCHARD_LABEL_MAX_ATTEMPTS", "Attempts at a label request before it is given up.",
        low=1, high=1000,
    )  # fmt: skip
    label_backoff_s: float = setting(
        5.0, "ORCHARD_LABEL_BACKOFF_S",
        "Rest after a label request first failed, in seconds; it doubles each time.",
        low=0, high=3600,
    )  # fmt: skip
    orphan_check_s: float = setting(
        300.0, "ORCHARD_ORPHAN_CHECK_S",
        "How often the ambassador looks for orphaned issues, in seconds.", low=0.1, high=86_400,
    )  # fmt: skip
    github_repository: str = setting(
        "", "ORCHARD_GITHUB_REPOSITORY", "Repository of the issues, as owner/name.",
        check=is_repository,
    )  # fmt: skip
    github_token: str = setting(
        "", "ORCHARD_GITHUB_TOKEN", "Token that may label and comment on its issues.", secret=True
    )
    github_url: str = setting(
        "https://api.github.com", "ORCHARD_GITHUB_URL", "Base URL of the GitHub API.",
        check=is_http_url,
    )  # fmt: skip
