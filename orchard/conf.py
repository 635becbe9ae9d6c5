"""The settings: each declared once, checked at start.

A value comes from the environment, else from the configuration file, else from
its default. A wrong one is refused, naming the setting, the value and what is
allowed; a secret is named but never shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from orchard.conf_access import AccessConf
from orchard.conf_engine import EngineConf, engine_address
from orchard.conf_file import read_file
from orchard.conf_jobs import JobsConf
from orchard.conf_logs import LogsConf
from orchard.conf_nodes import NodesConf
from orchard.conf_openai import OpenAiConf
from orchard.conf_quality import QualityConf
from orchard.conf_running import RunningConf
from orchard.conf_sealing import SealingConf
from orchard.conf_state import YEAR_S, StateConf
from orchard.conf_storage import StorageConf, check_storage
from orchard.conf_traces import TracesConf
from orchard.conf_uploads import UploadsConf
from orchard.conf_values import (
    check_value,
    is_database,
    is_host,
    is_host_list,
    is_key,
    is_store,
    is_time_zone,
    setting,
)
from orchard.conf_webhooks import WebhooksConf

CONFIG_ENV = "ORCHARD_CONFIG"
CONFIG_PATH = Path("config/config.json")


@dataclass(frozen=True, kw_only=True)
class Conf(
    EngineConf,
    StateConf,
    LogsConf,
    TracesConf,
    NodesConf,
    OpenAiConf,
    AccessConf,
    StorageConf,
    SealingConf,
    RunningConf,
    WebhooksConf,
    JobsConf,
    UploadsConf,
    QualityConf,
):
    """All settings of one installation."""

    port: int = setting(8000, "PORT", "Port of the web server.", low=1, high=65_535)
    host: str = setting(
        "127.0.0.1", "ORCHARD_HOST",
        "Address the web server listens on; 0.0.0.0 lets other machines in.", check=is_host,
    )  # fmt: skip
    allowed_hosts: str = setting(
        "", "ORCHARD_ALLOWED_HOSTS",
        "Host names the site answers to, with commas between; empty: this machine's own.",
        check=is_host_list,
    )  # fmt: skip
    https: bool = setting(
        False, "ORCHARD_HTTPS", "The site is reached through a proxy, over https only."
    )
    data_dir: Path = setting(
        Path("var"), "ORCHARD_DATA", "Folder of everything this installation keeps."
    )
    store: str = setting(
        "embedded://", "ORCHARD_STORE",
        "State engine: embedded://, memory://, redis://…, unix://…, redis+sentinel://… or"
        " redis+cluster://…; rediss instead of redis for TLS.",
        secret=True, check=is_store,
    )  # fmt: skip
    database_url: str = setting(
        "", "DATABASE_URL",
        "Database of users, tokens, audit and log lines; empty: SQLite in the data folder.",
        secret=True, check=is_database,
    )  # fmt: skip
    secret_key: str = setting(
        "", "ORCHARD_SECRET_KEY", "Key of sessions; empty: made once, kept in the data folder.",
        secret=True, check=is_key,
    )  # fmt: skip
    debug: bool = setting(False, "ORCHARD_DEBUG", "Show faults in full; never in production.")
    log_format: str = setting(
        "line", "ORCHARD_LOG_FORMAT", "Log lines for people, or one JSON object a line.",
        choices=("line", "json"),
    )  # fmt: skip
    language: str = setting(
        "en", "ORCHARD_LANGUAGE", "Language when the browser names none.", choices=("en", "ja")
    )
    time_zone: str = setting(
        "UTC", "ORCHARD_TIME_ZONE", "Time zone of the server's own pages.", check=is_time_zone
    )
    upload_max_bytes: int = setting(
        2_000_000_000, "ORCHARD_UPLOAD_MAX_BYTES", "Largest recording accepted, in bytes.",
        low=1, high=2**50,
    )  # fmt: skip
    job_ttl_s: float = setting(
        3600.0, "ORCHARD_JOB_TTL_S", "How long an ended job is kept, in seconds.",
        low=1, high=YEAR_S,
    )  # fmt: skip
    worker_ttl_s: float = setting(
        300.0, "ORCHARD_WORKER_TTL_S", "Silence after which a worker is forgotten, in seconds.",
        low=1, high=YEAR_S,
    )  # fmt: skip
    worker_online_s: float = setting(
        30.0, "ORCHARD_WORKER_ONLINE_S", "Silence after which a worker is offline, in seconds.",
        low=1, high=YEAR_S,
    )  # fmt: skip
    chunk_lease_s: float = setting(
        30.0, "ORCHARD_CHUNK_LEASE_S", "How long a worker holds a chunk unheard, in seconds.",
        low=0.1, high=86_400,
    )  # fmt: skip
    stage_lease_s: float = setting(
        30.0, "ORCHARD_STAGE_LEASE_S",
        "How long a pipeline process holds a stage unheard, in seconds.", low=0.1, high=86_400,
    )  # fmt: skip
    chunk_max_attempts: int = setting(
        4, "ORCHARD_CHUNK_MAX_ATTEMPTS", "Attempts at a chunk before it is a dead letter.",
        low=1, high=1000,
    )  # fmt: skip
    stage_max_attempts: int = setting(
        3, "ORCHARD_STAGE_MAX_ATTEMPTS", "Attempts at a stage before the job fails.",
        low=1, high=1000,
    )  # fmt: skip
    retry_backoff_s: float = setting(
        2.0, "ORCHARD_RETRY_BACKOFF_S",
        "Rest after a first failure, in seconds; it doubles each time.", low=0, high=3600,
    )  # fmt: skip
    events_max: int = setting(
        20_000, "ORCHARD_EVENTS_MAX", "About how many events are kept.", low=100, high=10**8
    )
    result_inline_max_bytes: int = setting(
        65_536, "ORCHARD_RESULT_INLINE_MAX_BYTES",
        "Longest transcript kept inside the job's record, in bytes; a longer one is in storage.",
        low=0, high=2**26,
    )  # fmt: skip
    purifier_default: bool = setting(
        True, "ORCHARD_PURIFIER_DEFAULT", "Whether recordings are cleaned unless asked otherwise."
    )

    def __repr__(self) -> str:
        """The settings without their secrets: a traceback may show this."""
        return f"Conf({', '.join(f'{one.name}={self.show(one.name)}' for one in fields(self))})"

    def show(self, name: str) -> str:
        """A setting's value for people; a secret one only says whether it is set."""
        value = getattr(self, name)
        if self.__dataclass_fields__[name].metadata["secret"]:
            return "(set)" if value else "(not set)"
        return str(value)


@cache
def get_conf() -> Conf:
    """The settings of this process, read once.

    Raises:
        ImproperlyConfigured: a value is not allowed.
    """
    named = os.environ.get(CONFIG_ENV, "")
    if named and not Path(named).is_file():
        raise ImproperlyConfigured(f"{CONFIG_ENV} is {named!r}; allowed: a file that exists")
    return load_conf(os.environ, Path(named or CONFIG_PATH))


def load_conf(environ: Mapping[str, str], path: Path) -> Conf:
    """Settings from an environment and a configuration file that need not be there.

    Raises:
        ImproperlyConfigured: a value is not allowed, or the file cannot be read.
    """
    values = read_file(path, [one.name for one in fields(Conf)])
    for one in fields(Conf):
        if (text := environ.get(one.metadata["env"], "")) != "":
            values[one.name] = (one.metadata["env"], text)
    checked = {
        one.name: check_value(one, *values[one.name]) for one in fields(Conf) if one.name in values
    }
    conf = Conf(**checked)
    engine_address(conf, values)
    check_storage(conf, values)
    return conf
