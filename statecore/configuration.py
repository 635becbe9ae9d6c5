"""The section ``unifiedStateManagement`` of the configuration file, as older programs write it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

SECTION = "unifiedStateManagement"
FILE, REDIS = "file", "redis"
BACKENDS = (FILE, REDIS)
_KEYS = ("enabled", "backend", "redis", "namespaces")
_REDIS_KEYS = ("enabled", "host", "port", "password", "db", "processId")


class WrongConfiguration(ValueError):
    """The configuration is not what it should be; names the key, the value and what is allowed."""


class StateConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """What the section says, checked."""

    enabled: bool = True
    backend: str = FILE
    redis_enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 6379
    password: str | None = None
    db: int = 0
    process_id: str | None = None
    namespaces: tuple[str, ...] = ()

    @property
    def uses_redis(self) -> bool:
        """Whether the backend is Redis: it must be chosen and enabled (CONTRACTS section 3)."""
        return self.enabled and self.backend == REDIS and self.redis_enabled

    @property
    def redis_url(self) -> str:
        """The URL of the Redis server, with its password."""
        secret = f":{quote(self.password, safe='')}@" if self.password else ""
        host = self.host
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"redis://{secret}{shown}:{self.port}/{self.db}"


def read_configuration(path: Path) -> dict[str, Any]:
    """The whole file, which need not be there.

    Raises:
        WrongConfiguration: it is not a JSON object.
    """
    if not path.exists():
        return {}
    try:
        whole = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise WrongConfiguration(f"{path}: cannot be read as JSON: {fault}") from None
    if not isinstance(whole, dict):
        raise WrongConfiguration(f"{path}: must hold a JSON object")
    return whole


def parse_configuration(whole: Mapping[str, Any], where: str = "") -> StateConfiguration:
    """What a configuration says of state; ``where`` is put before the names of keys.

    Raises:
        WrongConfiguration: a key is unknown or a value wrong.
    """
    if not isinstance(whole, Mapping):
        raise WrongConfiguration(f"{where or 'the configuration'} must be an object")
    place = f"{where}{SECTION}"
    section = _object(whole, SECTION, place)
    refuse_unknown(section, _KEYS, place)
    redis = _object(section, "redis", f"{place}.redis")
    refuse_unknown(redis, _REDIS_KEYS, f"{place}.redis")
    namespaces = _object(section, "namespaces", f"{place}.namespaces")
    backend = section.get("backend", FILE)
    _check(backend in BACKENDS, f"{place}.backend", backend, " or ".join(BACKENDS))
    return StateConfiguration(
        enabled=_flag(section, place, True), backend=backend, namespaces=tuple(namespaces),
        redis_enabled=_flag(redis, f"{place}.redis", False), **_address(redis, f"{place}.redis"),
    )  # fmt: skip


def suggest(name: str, names: Iterable[str], likeness: float = 0.6) -> str:
    """The end of a sentence that names what was probably meant, when it is this alike (0 to 1)."""
    close = difflib.get_close_matches(name, list(names), 1, likeness)
    return f"; did you mean {close[0]}?" if close else ""


def refuse_unknown(section: Mapping[str, Any], names: Iterable[str], where: str) -> None:
    """Refuse a key that there is not.

    Raises:
        WrongConfiguration: there is one; names it, and what was probably meant.
    """
    known = tuple(names)
    for name in section:
        if name not in known:
            raise WrongConfiguration(f"{where}.{name} is no setting{suggest(name, known)}")


def _address(redis: Mapping[str, Any], where: str) -> dict[str, Any]:
    host, port, db = redis.get("host", "127.0.0.1"), redis.get("port", 6379), redis.get("db", 0)
    is_name = isinstance(host, str) and bool(host) and not set(host) & set(" /@?#")
    _check(is_name, f"{where}.host", host, "a host name")
    _check(_is_number(port, 1, 65_535), f"{where}.port", port, "a whole number from 1 to 65535")
    _check(_is_number(db, 0, 65_535), f"{where}.db", db, "a whole number from 0 to 65535")
    password, process = redis.get("password"), redis.get("processId")
    if not isinstance(password, str | None):
        raise WrongConfiguration(f"{where}.password is (not shown); allowed: text or null")
    _check(isinstance(process, str | None), f"{where}.processId", process, "text or null")
    return {"host": host, "port": port, "db": db, "password": password, "process_id": process}


def _object(holder: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    found = holder.get(name, {})
    if not isinstance(found, Mapping):
        raise WrongConfiguration(f"{where} must be an object")
    return found


def _flag(section: Mapping[str, Any], where: str, default: bool) -> bool:
    value = section.get("enabled", default)
    _check(isinstance(value, bool), f"{where}.enabled", value, "true or false")
    return bool(value)


def _is_number(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _check(is_right: bool, name: str, value: Any, allowed: str) -> None:
    if not is_right:
        raise WrongConfiguration(f"{name} is {value!r}; allowed: {allowed}")
