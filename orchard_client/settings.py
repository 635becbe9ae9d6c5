"""Which server, and who asks: from arguments, the environment, or a small file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from orchard_client.errors import ConfigurationError

_KNOWN = ("url", "token", "token_file")
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and the token to show it; ``…_from`` says where each was found."""

    url: str
    token: str
    url_from: str
    token_from: str


def find_server(
    url: str | None = None, token: str | None = None,
    token_file: str | os.PathLike[str] | None = None, environ: Mapping[str, str] = os.environ,
) -> Server:  # fmt: skip
    """Where the server is: as the arguments say, else the environment, else the file.

    A token goes only to the server that it was meant for: the file's to the file's own URL,
    and one that merely lies in ``var`` here to this machine.

    Raises:
        ConfigurationError: something of this makes no sense.
    """
    file, path = _read_file(environ)
    address, url_from = _find_url(url, environ, file, path)
    address = _checked_url(address, url_from)
    secret, token_from = _find_token(token, token_file, environ)
    if not secret and url_from == str(path):
        secret, token_from = _token_of_file(file, path)
    if not secret:
        secret, token_from = _token_of_data(address, environ)
    return Server(address, _checked(secret, token_from), url_from, token_from)


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The client's own file: ``ORCHARD_CLIENT_CONFIG``, or in the user's folder of settings."""
    if said := environ.get("ORCHARD_CLIENT_CONFIG"):
        return Path(said)
    folder = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~"), ".config")
    return Path(folder).expanduser() / "orchard" / "client.toml"


def _read_file(environ: Mapping[str, str]) -> tuple[dict[str, Any], Path]:
    path = config_path(environ)
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}, path
    except (OSError, ValueError) as fault:
        raise ConfigurationError(f"{path} cannot be read: {fault}") from fault
    for name, value in found.items():
        if name not in _KNOWN or not isinstance(value, str):
            raise ConfigurationError(f"{path}: {name}: only texts named {', '.join(_KNOWN)}")
    return found, path


def _find_url(
    url: str | None, environ: Mapping[str, str], file: dict[str, Any], path: Path
) -> tuple[str, str]:
    port = environ.get("PORT") or "8000"
    places = [
        (url, "argument"), (environ.get("ORCHARD_URL"), "ORCHARD_URL"),
        (file.get("url"), str(path)), (f"http://127.0.0.1:{port}", "default"),
    ]  # fmt: skip
    return next((said.strip(), where) for said, where in places if said)


def _find_token(
    token: str | None, token_file: str | os.PathLike[str] | None, environ: Mapping[str, str]
) -> tuple[str, str]:
    if token:
        return token, "argument"
    if token_file:
        return _read_token(Path(token_file)), str(token_file)
    if said := environ.get("ORCHARD_TOKEN"):
        return said, "ORCHARD_TOKEN"
    return "", "nowhere"


def _token_of_file(file: dict[str, Any], path: Path) -> tuple[str, str]:
    if said := file.get("token"):
        return said, str(path)
    if said := file.get("token_file"):
        where = path.parent / Path(said).expanduser()
        return _read_token(where), str(where)
    return "", "nowhere"


def _token_of_data(url: str, environ: Mapping[str, str]) -> tuple[str, str]:
    said = environ.get("ORCHARD_DATA")
    path = Path(said or "var") / "token"
    if path.is_file() and (said or httpx.URL(url).host in _LOCAL):
        return _read_token(path), str(path)
    return "", "nowhere"


def _read_token(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as fault:
        raise ConfigurationError(f"the token in {path} cannot be read: {fault}") from fault


def _checked_url(url: str, where: str) -> str:
    try:
        found = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        found = httpx.URL("")
    if found.scheme not in ("http", "https") or not found.host:
        raise ConfigurationError(f"{url!r} ({where}) is no address such as http://127.0.0.1:8000")
    return url.rstrip("/")


def _checked(token: str, where: str) -> str:
    token = token.strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ConfigurationError(f"the token ({where}) has characters that no token has")
    return token
