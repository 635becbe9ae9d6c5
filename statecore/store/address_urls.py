"""URLs of engines, with options beside them, read and checked.

redis://user:password@host:port/db              one server; rediss:// over TLS, unix:///socket?db=
redis+sentinel://host:port,host:port/master/db  the primary that sentinels name
redis+cluster://host:port,host:port             a cluster, known by some of its nodes
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from statecore.store.addresses import (
    Address,
    Durability,
    Login,
    Node,
    Tls,
    Topology,
    WrongAddress,
)

PORTS = {Topology.STANDALONE: 6379, Topology.SENTINEL: 26379, Topology.CLUSTER: 6379}
FORMS = {
    "redis": "redis://user:password@host:port/database",
    "rediss": "rediss://user:password@host:port/database",
    "unix": "unix:///path/of/the/socket",
    "redis+sentinel": "redis+sentinel://host:port,host:port/master_name/database",
    "rediss+sentinel": "rediss+sentinel://host:port,host:port/master_name/database",
    "redis+cluster": "redis+cluster://host:port,host:port",
    "rediss+cluster": "rediss+cluster://host:port,host:port",
}
"""By scheme, how a URL is written."""
OPTIONS = (
    "db", "username", "password", "password_file", "sentinel_username", "sentinel_password",
    "sentinel_password_file", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname",
    "durability", "patience",
)  # fmt: skip
_OF_SENTINELS = ("sentinel_username", "sentinel_password", "sentinel_password_file")
_OF_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
_NODE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/@?#\[\],]+))(?::(\d{1,5}))?")
_HIDDEN = "(not shown)"
MOST_PATIENCE_S = 60.0

Given = Mapping[str, tuple[str, str]]
"""Options by name, each with the setting that gives it and its value."""


def parse_address(url: str, name: str = "the engine's URL", given: Given | None = None) -> Address:
    """The address that a URL and options beside it give; files with passwords are read.

    Raises:
        WrongAddress: something is wrong; in one line that names the setting.
    """
    parts = _split(url, name)
    options = _options(parts.query, name, given or {})
    tls = _tls(parts.scheme, options, name)
    names = {option: setting for option, (setting, _) in options.items()} | {"url": name}
    database, master = _target(parts, options, name)
    return Address(
        topology=parts.topology, nodes=_nodes(parts, name), database=database, master=master,
        login=_login(parts.user, parts.password, options, "", name), tls=tls,
        sentinel_login=_sentinel_login(parts, options), durability=_durability(options),
        patience_s=_patience(options), names=names,
    )  # fmt: skip


class _Parts(NamedTuple):
    scheme: str
    user: str
    password: str
    hosts: str
    path: str
    query: str

    @property
    def topology(self) -> Topology:
        return Topology(self.scheme.partition("+")[2] or Topology.STANDALONE)


def _split(url: str, name: str) -> _Parts:
    """By hand, because the list of hosts of other schemes is none to ``urlsplit``."""
    scheme, slashes, rest = url.partition("://")
    scheme = scheme.lower()
    if not slashes or scheme not in FORMS:
        raise WrongAddress(f"{name} is {_HIDDEN}; allowed: {', '.join(f'{s}://' for s in FORMS)}")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    login, _, hosts = authority.rpartition("@")
    user, _, password = login.partition(":")
    return _Parts(scheme, unquote(user), unquote(password), hosts, unquote(slash + path), query)


def _options(query: str, name: str, given: Given) -> dict[str, tuple[str, str]]:
    found = {}
    for option, value in parse_qsl(query, keep_blank_values=True):
        if option not in OPTIONS:
            allowed = ", ".join(OPTIONS)
            raise WrongAddress(f"{name} has the option {option!r}; allowed: {allowed}")
        found[option] = (f"{name} ({option})", value)
    for option, (setting, value) in given.items():
        if option in found:
            raise WrongAddress(f"{setting} is set and so is {found[option][0]}; allowed: one")
        found[option] = (setting, value)
    return found


def _nodes(parts: _Parts, name: str) -> tuple[Node, ...]:
    allowed = FORMS[parts.scheme]
    if parts.scheme == "unix":
        if parts.hosts or len(parts.path) < 2:
            raise WrongAddress(f"{name} is {_HIDDEN}; allowed: {allowed}")
        return (Node(parts.path, 0),)
    texts = parts.hosts.split(",")
    if parts.topology is Topology.STANDALONE and len(texts) > 1:
        raise WrongAddress(
            f"{name} names {len(texts)} servers; allowed: one, or redis+sentinel://, "
            "redis+cluster://"
        )
    return tuple(_node(text, parts, f"{name} is {_HIDDEN}; allowed: {allowed}") for text in texts)


def _node(text: str, parts: _Parts, refusal: str) -> Node:
    found = _NODE.fullmatch(text)
    port = int(found[3] or PORTS[parts.topology]) if found else 0
    if found is None or not 0 < port < 65_536:
        raise WrongAddress(refusal)
    return Node(found[1] or unquote(found[2]), port)


def _target(parts: _Parts, options: Given, name: str) -> tuple[int, str]:
    """The number of the database, and the name of the master."""
    path = "" if parts.scheme == "unix" else parts.path.strip("/")
    master = ""
    if parts.topology is Topology.SENTINEL:
        master, _, path = path.partition("/")
        if not master:
            raise WrongAddress(f"{name} names no master; allowed: {FORMS[parts.scheme]}")
    setting = name
    if "db" in options:
        setting, value = options["db"]
        if path:
            raise WrongAddress(f"{setting} is set and so is the URL's database; allowed: one")
        path = value
    if path and not (path.isascii() and path.isdigit() and len(path) < 6):
        raise WrongAddress(f"{setting} has the database {path!r}; allowed: a whole number")
    if parts.topology is Topology.CLUSTER and int(path or 0):
        raise WrongAddress(f"{setting} has the database {path}; allowed: 0, a cluster has no other")
    return int(path or 0), master


def _sentinel_login(parts: _Parts, options: Given) -> Login:
    if parts.topology is not Topology.SENTINEL:
        _refuse(_OF_SENTINELS, options, "nothing, as there are no sentinels; or redis+sentinel://")
    return _login("", "", options, "sentinel_", "")


def _login(user: str, password: str, options: Given, prefix: str, name: str) -> Login:
    """One's name and password; each may be said once."""
    words = {"user": (name, user)} if user else {}
    words |= {"password": (name, password)} if password else {}
    for option, part in (("username", "user"), ("password", "password"),
                         ("password_file", "password")):  # fmt: skip
        if prefix + option not in options:
            continue
        setting, value = options[prefix + option]
        if part in words:
            raise WrongAddress(f"{setting} is set and so is {words[part][0]}; allowed: one")
        words[part] = (setting, _read(setting, value) if option.endswith("file") else value)
    if "user" in words and "password" not in words:
        raise WrongAddress(f"{words['user'][0]} names a user; allowed: with a password")
    return Login(*(words.get(part, ("", ""))[1] for part in ("user", "password")))


def _read(setting: str, path: str) -> str:
    try:
        password = Path(path).expanduser().read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "not text"
        raise WrongAddress(
            f"{setting} is {path!r} ({reason}); allowed: a file with a password"
        ) from None
    if not password or "\n" in password:
        raise WrongAddress(f"{setting} is {path!r}; allowed: a file with a password, in one line")
    return password


def _tls(scheme: str, options: Given, name: str) -> Tls | None:
    if not scheme.startswith("rediss"):
        _refuse(_OF_TLS, options, f"nothing, as {name} is {scheme}://; or rediss://")
        return None
    ca, certificate, key = (
        Path(options[option][1]).expanduser() if option in options else None
        for option in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
    )
    setting, check = options.get("ssl_check_hostname", (name, "true"))
    if check.lower() not in ("true", "false"):
        raise WrongAddress(f"{setting} is {check!r}; allowed: true or false")
    tls = Tls(ca, certificate, key, check.lower() == "true")
    _try_files(tls, options)
    return tls


def _try_files(tls: Tls, options: Given) -> None:
    """Have the files read once, so that a wrong one is told at start."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.ca:
        try:
            context.load_verify_locations(tls.ca)
        except (OSError, ssl.SSLError) as fault:
            _blame(options["ssl_ca_certs"], fault, "a file of certificates in PEM")
    if bool(tls.certificate) != bool(tls.key):
        setting, _ = options["ssl_certfile" if tls.certificate else "ssl_keyfile"]
        raise WrongAddress(f"{setting} is set alone; allowed: a certificate and its key")
    if tls.certificate:
        try:
            context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
        except (OSError, ssl.SSLError) as fault:
            _blame(options["ssl_certfile"], fault, "a certificate in PEM, with its key")


def _blame(option: tuple[str, str], fault: OSError, allowed: str) -> None:
    setting, value = option
    reason = getattr(fault, "reason", "") or fault.strerror or "not readable"
    raise WrongAddress(f"{setting} is {value!r} ({reason}); allowed: {allowed}") from None


def _durability(options: Given) -> Durability:
    setting, value = options.get("durability", ("", Durability.LOCAL))
    if value not in [*Durability]:
        raise WrongAddress(f"{setting} is {value!r}; allowed: {' or '.join(Durability)}")
    return Durability(value)


def _patience(options: Given) -> float:
    setting, value = options.get("patience", ("", "5"))
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_PATIENCE_S:
        raise WrongAddress(f"{setting} is {value!r}; allowed: from 0 to {MOST_PATIENCE_S:g}")
    return seconds


def _refuse(names: tuple[str, ...], options: Given, allowed: str) -> None:
    for name in names:
        if name in options:
            raise WrongAddress(f"{options[name][0]} is set; allowed: {allowed}")
