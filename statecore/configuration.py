"""The section ``unifiedStateManagement`` of the configuration file, as older programs write it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

SECTION = "unifiedStateManagement"
FILE, REDIS = "file", "redis"
BACKENDS = (FILE, REDIS)
_NODE = re.compile(r"[^\s/@?#,]+:\d{1,5}")
_HALF = re.compile("[\ud800-\udfff]")
_KEYS = ("enabled", "backend", "redis", "namespaces")
_REDIS_KEYS = ("enabled", "host", "port", "password", "db", "processId", "username",
               "passwordFile", "sentinel", "cluster", "tls")  # fmt: skip
_SENTINEL_KEYS = {"nodes": "", "master": "", "username": "sentinel_username",
                  "password": "sentinel_password",
                  "passwordFile": "sentinel_password_file"}  # fmt: skip
_TLS_KEYS = {"enabled": "", "ca": "ssl_ca_certs", "certificate": "ssl_certfile",
             "key": "ssl_keyfile", "checkHostname": "ssl_check_hostname"}  # fmt: skip


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
    topology: str = ""
    nodes: tuple[str, ...] = ()
    master: str = ""
    uses_tls: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """What else the engine's URL says, by option."""
    namespaces: tuple[str, ...] = ()

    @property
    def uses_redis(self) -> bool:
        """Whether the backend is Redis: it must be chosen and enabled (CONTRACTS section 3)."""
        return self.enabled and self.backend == REDIS and self.redis_enabled

    @property
    def redis_url(self) -> str:
        """The URL of the engine, with its password; see ``store/address_urls``."""
        host = self.host
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        scheme = "rediss" if self.uses_tls else "redis"
        secret = f":{quote(self.password, safe='')}@" if self.password else ""
        options = f"?{urlencode(self.options)}" if self.options else ""
        if not self.topology:
            return f"{scheme}://{secret}{shown}:{self.port}/{self.db}{options}"
        path = f"/{quote(self.master, safe='')}/{self.db}" if self.master else ""
        return f"{scheme}+{self.topology}://{secret}{','.join(self.nodes)}{path}{options}"


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
        **_topology(redis, f"{place}.redis"),
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
    is_name = _is_text(host) and not set(host) & set(" /@?#")
    _check(is_name, f"{where}.host", host, "a host name")
    _check(_is_number(port, 1, 65_535), f"{where}.port", port, "a whole number from 1 to 65535")
    _check(_is_number(db, 0, 65_535), f"{where}.db", db, "a whole number from 0 to 65535")
    password, process = redis.get("password"), redis.get("processId")
    if password not in (None, "") and not _is_text(password):
        raise WrongConfiguration(f"{where}.password is (not shown); allowed: text or null")
    _check(isinstance(process, str | None), f"{where}.processId", process, "text or null")
    return {"host": host, "port": port, "db": db, "password": password, "process_id": process}


def _topology(redis: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Sentinels or nodes of a cluster, TLS, and where else a password is."""
    if "sentinel" in redis and "cluster" in redis:
        raise WrongConfiguration(f"{where}.cluster is set and so is {where}.sentinel; allowed: one")
    options = _options(redis, where, {"username": "username", "passwordFile": "password_file"})
    tls = _object(redis, "tls", f"{where}.tls")
    refuse_unknown(tls, _TLS_KEYS, f"{where}.tls")
    uses_tls = "tls" in redis and _flag(tls, f"{where}.tls", True)
    options += _options(tls, f"{where}.tls", _TLS_KEYS) if uses_tls else ()
    found: dict[str, Any] = {"uses_tls": uses_tls}
    for name, keys in (("sentinel", _SENTINEL_KEYS), ("cluster", {"nodes": ""})):
        if name in redis:
            place, section = f"{where}.{name}", _object(redis, name, f"{where}.{name}")
            refuse_unknown(section, keys, place)
            found |= {"topology": name, "nodes": _nodes(section, place)}
            options += _options(section, place, keys)
    if "sentinel" in redis:
        master = redis["sentinel"].get("master")
        _check(_is_text(master), f"{where}.sentinel.master", master, "the name of the master")
        found["master"] = master
    if "cluster" in redis:
        _check(not redis.get("db"), f"{where}.db", redis.get("db"), "0, a cluster has no other")
    return found | {"options": options}


def _nodes(section: Mapping[str, Any], where: str) -> tuple[str, ...]:
    given = section.get("nodes")
    nodes = given if isinstance(given, list) else []
    is_right = nodes and all(_is_text(each) and _NODE.fullmatch(each) for each in nodes)
    _check(bool(is_right), f"{where}.nodes", given, 'a list such as ["host:port", "host:port"]')
    return tuple(nodes)


def _options(
    section: Mapping[str, Any], where: str, keys: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """The options of a URL that a section gives, by the names of its keys."""
    found = []
    for name, option in keys.items():
        value = section.get(name)
        if not option or value is None:
            continue
        if name == "checkHostname":
            _check(isinstance(value, bool), f"{where}.{name}", value, "true or false")
        elif not _is_text(value):
            raise WrongConfiguration(f"{where}.{name} is (not shown); allowed: text")
        found.append((option, str(value).lower() if isinstance(value, bool) else value))
    return tuple(found)


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


def _is_text(value: Any) -> bool:
    """Whether it is text that can be sent: JSON can also say half a character."""
    return isinstance(value, str) and bool(value) and _HALF.search(value) is None


def _check(is_right: bool, name: str, value: Any, allowed: str) -> None:
    if not is_right:
        raise WrongConfiguration(f"{name} is {value!r}; allowed: {allowed}")
