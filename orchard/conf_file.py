"""The configuration file: ``config/config.json``, shared with the programs that had it before.

Ours is the section ``orchard``; ``unifiedStateManagement`` may name a Redis
server. Sections of other programs are let alone.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

OWN, STATE = "orchard", "unifiedStateManagement"
STATE_KEYS = ("enabled", "backend", "redis", "namespaces")
REDIS_KEYS = ("enabled", "host", "port", "password", "db", "processId")
BACKENDS = ("file", "redis")

Named = dict[str, tuple[str, Any]]
"""Values by setting, each with the name that is to blame when it is wrong."""


def read_file(path: Path, settings: list[str]) -> Named:
    """Values of the settings that the file names; none when there is no file.

    Raises:
        ImproperlyConfigured: it is not JSON, or holds a setting that there is not.
    """
    if not path.exists():
        return {}
    whole = _read_json(path)
    _refuse_misspelt_sections(whole, path)
    own = _section(whole, OWN, path)
    _refuse_unknown(own, settings, f"{path}: {OWN}")
    values = {name: (f"{path}: {OWN}.{name}", value) for name, value in own.items()}
    return _store(_section(whole, STATE, path), f"{path}: {STATE}") | values


def suggest(name: str, names: Iterable[str], likeness: float = 0.6) -> str:
    """The end of a sentence that names what was probably meant, when it is this alike (0 to 1)."""
    close = difflib.get_close_matches(name, list(names), 1, likeness)
    return f"; did you mean {close[0]}?" if close else ""


def _read_json(path: Path) -> dict[str, Any]:
    try:
        whole = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise ImproperlyConfigured(f"{path}: cannot be read as JSON: {fault}") from None
    if not isinstance(whole, dict):
        raise ImproperlyConfigured(f"{path}: must hold a JSON object")
    return whole


def _refuse_misspelt_sections(whole: dict[str, Any], path: Path) -> None:
    for name in whole:
        if name not in (OWN, STATE) and (meant := suggest(name, (OWN, STATE))):
            raise ImproperlyConfigured(f"{path}: unknown section {name}{meant}")


def _section(whole: dict[str, Any], name: str, where: Path | str) -> dict[str, Any]:
    section = whole.get(name, {})
    if not isinstance(section, dict):
        raise ImproperlyConfigured(f"{where}: {name} must be an object")
    return section


def _refuse_unknown(section: dict[str, Any], names: Iterable[str], where: str) -> None:
    for name in section:
        if name not in names:
            raise ImproperlyConfigured(f"{where}.{name} is no setting{suggest(name, names)}")


def _store(section: dict[str, Any], where: str) -> Named:
    """The store that ``unifiedStateManagement`` asks for."""
    _refuse_unknown(section, STATE_KEYS, where)
    redis = _section(section, "redis", where)
    _refuse_unknown(redis, REDIS_KEYS, f"{where}.redis")
    backend = section.get("backend", "file")
    _check(backend in BACKENDS, f"{where}.backend", backend, " or ".join(BACKENDS))
    for name, holder in ((where, section), (f"{where}.redis", redis)):
        enabled = holder.get("enabled", True)
        _check(isinstance(enabled, bool), f"{name}.enabled", enabled, "true or false")
    is_on = section.get("enabled", True) and backend == "redis" and redis.get("enabled", False)
    return {"store": (f"{where}.redis", _redis_url(redis, f"{where}.redis"))} if is_on else {}


def _redis_url(redis: dict[str, Any], where: str) -> str:
    host, port, db = redis.get("host", "127.0.0.1"), redis.get("port", 6379), redis.get("db", 0)
    password = redis.get("password")
    is_name = isinstance(host, str) and bool(host) and not set(host) & set(" /@?#")
    _check(is_name, f"{where}.host", host, "a host name")
    _check(_is_number(port, 1, 65_535), f"{where}.port", port, "a whole number from 1 to 65535")
    _check(_is_number(db, 0, 65_535), f"{where}.db", db, "a whole number from 0 to 65535")
    if not isinstance(password, str | None):
        raise ImproperlyConfigured(f"{where}.password is (not shown); allowed: text or null")
    secret = f":{quote(password, safe='')}@" if password else ""
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"redis://{secret}{shown}:{port}/{db}"


def _is_number(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _check(is_right: bool, name: str, value: Any, allowed: str) -> None:
    if not is_right:
        raise ImproperlyConfigured(f"{name} is {value!r}; allowed: {allowed}")
