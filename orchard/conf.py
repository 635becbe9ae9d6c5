"""The settings: each declared once, checked at start.

A value comes from the environment, else from the configuration file, else from
its default. A wrong one is refused, naming the setting, the value and what is
allowed; a secret is named but never shown.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

STORE_SCHEMES = ("embedded", "memory", "redis", "rediss", "unix")


def setting(
    default: Any, env: str, help: str, *, low: float | None = None, high: float | None = None,
    secret: bool = False,
) -> Any:  # fmt: skip
    """Declare one setting: its default, its environment variable, its bounds and one sentence."""
    facts = {"env": env, "help": help, "low": low, "high": high, "secret": secret}
    return dataclass_field(default=default, metadata=facts)


@dataclass(frozen=True, kw_only=True)
class Conf:
    """All settings of one installation."""

    port: int = setting(8000, "PORT", "Port of the web server.", low=1, high=65535)
    host: str = setting("127.0.0.1", "ORCHARD_HOST", "Address the web server listens on.")
    data_dir: Path = setting(
        Path("var"), "ORCHARD_DATA", "Folder of everything this installation keeps."
    )
    store: str = setting(
        "embedded://", "ORCHARD_STORE",
        "State engine: embedded://, memory://, redis://…, rediss://… or unix://….", secret=True,
    )  # fmt: skip
    database_url: str = setting(
        "", "DATABASE_URL", "Database of users, tokens and audit; empty: SQLite in the data dir.",
        secret=True,
    )  # fmt: skip
    secret_key: str = setting(
        "", "ORCHARD_SECRET_KEY", "Key of sessions; empty: made once, kept in the data folder.",
        secret=True,
    )  # fmt: skip
    debug: bool = setting(False, "ORCHARD_DEBUG", "Show faults in full; never in production.")
    https: bool = setting(False, "ORCHARD_HTTPS", "The site is reached over https only.")
    allowed_hosts: str = setting(
        "127.0.0.1,localhost,[::1]", "ORCHARD_ALLOWED_HOSTS", "Host names the site answers to."
    )
    language: str = setting("en", "ORCHARD_LANGUAGE", "Language when the browser names none.")
    time_zone: str = setting("UTC", "ORCHARD_TIME_ZONE", "Time zone of the server's own pages.")
    upload_max_bytes: int = setting(
        2_000_000_000, "ORCHARD_UPLOAD_MAX_BYTES", "Largest recording accepted, in bytes.", low=1
    )
    job_ttl_s: float = setting(
        3600.0, "ORCHARD_JOB_TTL_S", "How long an ended job is kept, in seconds.", low=1
    )
    worker_ttl_s: float = setting(
        300.0, "ORCHARD_WORKER_TTL_S", "Silence after which a worker is forgotten.", low=1
    )
    worker_online_s: float = setting(
        30.0, "ORCHARD_WORKER_ONLINE_S", "Silence after which a worker is offline.", low=1
    )
    chunk_lease_s: float = setting(
        30.0, "ORCHARD_CHUNK_LEASE_S", "How long a worker holds a chunk unheard.", low=0.1
    )
    stage_lease_s: float = setting(
        30.0, "ORCHARD_STAGE_LEASE_S", "How long a pipeline process holds a stage unheard.", low=0.1
    )
    chunk_max_attempts: int = setting(
        4, "ORCHARD_CHUNK_MAX_ATTEMPTS", "Attempts at a chunk before it is a dead letter.", low=1
    )
    stage_max_attempts: int = setting(
        3, "ORCHARD_STAGE_MAX_ATTEMPTS", "Attempts at a stage before the job fails.", low=1
    )
    retry_backoff_s: float = setting(
        2.0, "ORCHARD_RETRY_BACKOFF_S", "Rest after a first failure; doubles each time.", low=0
    )
    events_max: int = setting(
        20_000, "ORCHARD_EVENTS_MAX", "About how many events are kept.", low=100
    )
    result_inline_max_bytes: int = setting(
        65_536, "ORCHARD_RESULT_INLINE_MAX_BYTES",
        "Longest transcript kept inside the job's record; a longer one is in storage only.", low=0,
    )  # fmt: skip
    purifier_default: bool = setting(
        True, "ORCHARD_PURIFIER_DEFAULT", "Whether recordings are cleaned unless asked otherwise."
    )

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
    return load_conf(os.environ, Path(os.environ.get("ORCHARD_CONFIG", "config/config.json")))


def load_conf(environ: Mapping[str, str], path: Path) -> Conf:
    """Settings from an environment and a configuration file that need not be there.

    Raises:
        ImproperlyConfigured: a value is not allowed, or the file cannot be read.
    """
    values = _from_file(path)
    for one in fields(Conf):
        if (text := environ.get(one.metadata["env"], "")) != "":
            values[one.name] = (one.metadata["env"], text)
    checked = {
        one.name: _checked(one, *values[one.name]) for one in fields(Conf) if one.name in values
    }
    return Conf(**checked)


def _from_file(path: Path) -> dict[str, tuple[str, Any]]:
    """Values in the file, each with the name to blame."""
    if not path.exists():
        return {}
    try:
        whole = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise ImproperlyConfigured(f"{path}: cannot be read as JSON: {fault}") from None
    if not isinstance(whole, dict):
        raise ImproperlyConfigured(f"{path}: must hold a JSON object")
    own = _section(whole, "orchard", path)
    names = [one.name for one in fields(Conf)]
    for name in own:
        if name not in names:
            raise ImproperlyConfigured(
                f"{path}: unknown setting orchard.{name}{_like(name, names)}"
            )
    values = {name: (f"orchard.{name}", value) for name, value in own.items()}
    return _engine(_section(whole, "unifiedStateManagement", path)) | values


def _section(whole: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    section = whole.get(name, {})
    if not isinstance(section, dict):
        raise ImproperlyConfigured(f"{path}: {name} must be an object")
    return section


def _engine(section: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """The store that ``unifiedStateManagement`` asks for (CONTRACTS section 3)."""
    redis = section.get("redis", {})
    if not isinstance(redis, dict):
        raise ImproperlyConfigured("unifiedStateManagement.redis must be an object")
    if section.get("backend") != "redis" or redis.get("enabled") is not True:
        return {}
    host, port, db = redis.get("host", "127.0.0.1"), redis.get("port", 6379), redis.get("db", 0)
    where = "unifiedStateManagement.redis"
    for name, number in (("port", port), ("db", db)):
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 65535:
            raise ImproperlyConfigured(f"{where}.{name} is {number!r}; allowed: a whole number")
    if not isinstance(host, str) or not host:
        raise ImproperlyConfigured(f"{where}.host is {host!r}; allowed: a host name")
    password = redis.get("password")
    secret = f":{quote(str(password), safe='')}@" if password else ""
    return {"store": (where, f"redis://{secret}{host}:{port}/{db}")}


def _checked(one: Any, name: str, value: Any) -> Any:
    secret = one.metadata["secret"]
    shown = "(not shown)" if secret else repr(value)
    try:
        parsed = _PARSERS[one.type](value)
    except (TypeError, ValueError):
        allowed = _ALLOWED[one.type]
        raise ImproperlyConfigured(f"{name} is {shown}; allowed: {allowed}") from None
    low, high = one.metadata["low"], one.metadata["high"]
    if (low is not None and not parsed >= low) or (high is not None and not parsed <= high):
        bounds = f"from {low:g} to {high:g}" if high is not None else f"{low:g} or more"
        raise ImproperlyConfigured(f"{name} is {shown}; allowed: {bounds}")
    if one.name == "store" and parsed.partition("://")[0] not in STORE_SCHEMES:
        allowed = ", ".join(f"{scheme}://" for scheme in STORE_SCHEMES)
        raise ImproperlyConfigured(f"{name} is not a store; allowed: {allowed}")
    return parsed


def _bool(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True} | dict.fromkeys(
        ("false", "0", "no", "off"), False
    )
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise ValueError(value)
    return words[str(value).lower()]


def _int(value: Any) -> int:
    if isinstance(value, bool | float):
        raise TypeError
    return int(value)


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_PARSERS: dict[str, Any] = {
    "int": _int, "float": float, "bool": _bool, "str": _str, "Path": Path,
}  # fmt: skip
_ALLOWED = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "text",
    "Path": "a path",
}  # fmt: skip


def _like(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {close[0]}?" if close else ""
