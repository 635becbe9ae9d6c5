"""Values of settings: how each is written, and what is allowed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import Field
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

STORE_SCHEMES = (
    "embedded", "memory", "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel",
    "redis+cluster", "rediss+cluster",
)  # fmt: skip
KEY_MIN_CHARS = 50

_HOST_NAME = re.compile(r"\.?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*\.?")

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")

Check = Callable[[Any], str]
"""Says what is allowed when a value is not, else nothing."""


def setting(
    default: Any, env: str, help: str, *, low: float | None = None, high: float | None = None,
    choices: tuple[str, ...] = (), check: Check | None = None, secret: bool = False,
) -> Any:  # fmt: skip
    """Declare one setting: its default, its environment variable, one sentence, and its bounds."""
    facts = {"env": env, "help": help, "low": low, "high": high, "secret": secret}
    return dataclass_field(default=default, metadata=facts | {"choices": choices, "check": check})


def check_value(one: Field[Any], name: str, value: Any) -> Any:
    """The value as the program needs it.

    Raises:
        ImproperlyConfigured: it is not allowed; named by ``name``.
    """
    facts = one.metadata
    try:
        parsed = _PARSERS[str(one.type)](value)
        allowed = _what_is_allowed(facts, parsed)
    except (TypeError, ValueError, OverflowError):
        allowed = describe_type(one)
    if allowed:
        shown = "(not shown)" if facts["secret"] else repr(value)
        raise ImproperlyConfigured(f"{name} is {shown}; allowed: {allowed}")
    return parsed


def describe_type(one: Field[Any]) -> str:
    """What a setting takes, in words."""
    low, high, choices = (one.metadata[name] for name in ("low", "high", "choices"))
    if choices:
        return " or ".join(choices)
    words = _WORDS[str(one.type)]
    return words if low is None else f"{words} {_bounds(low, high)}"


def is_store(value: str) -> str:
    """Check the kind of a state engine; see ``conf_engine`` for its address."""
    scheme, slashes, rest = value.partition("://")
    if not slashes or scheme.lower() not in STORE_SCHEMES:
        return ", ".join(f"{scheme}://" for scheme in STORE_SCHEMES)
    return f"{scheme}:// alone" if scheme in ("embedded", "memory") and rest else ""


def is_database(value: str) -> str:
    """Check the URL of a database."""
    allowed = "postgres://user:password@host:port/name or sqlite:///path"
    if value and urlsplit(value).scheme not in ("postgres", "postgresql", "sqlite"):
        return allowed
    try:
        dj_database_url.parse(value)
    except ValueError:
        return allowed
    return ""


def is_key(value: str) -> str:
    """Check a secret key: a short one can be guessed."""
    return "" if len(value) >= KEY_MIN_CHARS else f"at least {KEY_MIN_CHARS} characters"


def is_http_url(value: str) -> str:
    """Check the base URL of a service."""
    parts = urlsplit(value)
    is_right = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    return "" if is_right else "https://host or http://host"


def is_repository(value: str) -> str:
    """Check the name of a repository."""
    return "" if not value or _REPOSITORY.fullmatch(value) else "owner/name"


def is_time_zone(value: str) -> str:
    """Check the name of a time zone."""
    return "" if value in available_timezones() else "a time zone such as UTC or Asia/Tokyo"


def is_host(value: str) -> str:
    """Check the address to listen on."""
    return "" if _is_address(value) or _HOST_NAME.fullmatch(value) else "a host name or address"


def is_host_list(value: str) -> str:
    """Check names with commas between, as people type them into a browser."""
    names = [name.strip() for name in value.split(",")]
    is_right = all(
        name == "*" or _is_address(name.strip("[]")) or _HOST_NAME.fullmatch(name) for name in names
    )
    return "" if is_right else "host names with commas between, without http:// and ports"


def _what_is_allowed(facts: Any, parsed: Any) -> str:
    low, high, choices, check = (facts[name] for name in ("low", "high", "choices", "check"))
    if choices and parsed not in choices:
        return " or ".join(choices)
    # Written so that NaN, which is neither below nor above, is refused as well.
    if low is not None and not low <= parsed <= high:
        return _bounds(low, high)
    return check(parsed) if check else ""


def _bounds(low: float, high: float) -> str:
    return f"from {low:.16g} to {high:.16g}"


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _bool(value: Any) -> bool:
    words = dict.fromkeys(("true", "1", "yes", "on"), True)
    words |= dict.fromkeys(("false", "0", "no", "off"), False)
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise ValueError(value)
    return words[str(value).lower()]


def _int(value: Any) -> int:
    if isinstance(value, bool | float):
        raise TypeError
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _str(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError
    return value


def _path(value: Any) -> Path:
    if not _str(value):
        raise ValueError
    return Path(value).expanduser()


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "int": _int, "float": _float, "bool": _bool, "str": _str, "Path": _path,
}  # fmt: skip
_WORDS = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "text",
    "Path": "a path",
}  # fmt: skip
