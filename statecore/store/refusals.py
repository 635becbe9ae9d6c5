"""Why an engine that is there will not have us: which setting is wrong, and what is allowed."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Any

import redis as driver

from statecore.store.addresses import Address, Node, Topology
from statecore.store.doors import CONNECT_TIMEOUT_S
from statecore.store.errors import EngineRefuses
from statecore.store.routes import NO_TLS
from statecore.store.sentinel import SentinelLogin
from statecore.store.sentinel_views import UnknownMaster

EXPIRED, WRONG_HOST = 10, (62, 64)
"""Verdicts of OpenSSL on a certificate."""
_WANTS_CERTIFICATE = "CERTIFICATE_REQUIRED"


def refusal(address: Address, error: BaseException) -> EngineRefuses | None:
    """The setting to blame for an error, in one line; ``None`` when none is."""
    line = _of_tls(address, error) or _of_login(address, error) or _of_answer(address, error)
    return EngineRefuses(line) if line else None


def _of_tls(address: Address, error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    if _WANTS_CERTIFICATE in str(error):
        return _no_certificate(address)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _of_certificate(address, cause)
    if isinstance(cause, ssl.SSLError) and cause.reason in NO_TLS:
        return _no_tls(address)
    return ""


def _of_certificate(address: Address, verdict: ssl.SSLCertVerificationError) -> str:
    ca, url, why = *map(address.setting_of, ("ssl_ca_certs", "url")), verdict.verify_message
    if verdict.verify_code == EXPIRED:
        return f"{url} names {address}, whose certificate has expired; allowed: one that is valid"
    if verdict.verify_code in WRONG_HOST:
        return f"{url} names {address}, its certificate does not ({why}); allowed: a name in it"
    file = str(address.tls.ca) if address.tls and address.tls.ca else ""
    return (
        f"{ca} is {file!r}, which does not vouch for {address} ({why}); allowed: the CA of its"
        " certificate"
    )


def _of_login(address: Address, error: BaseException) -> str:
    is_sentinel = isinstance(error, SentinelLogin)
    prefix, login = (
        ("sentinel_", address.sentinel_login) if is_sentinel else ("", address.login)
    )  # fmt: skip
    user = login.user or "default"
    if isinstance(error, driver.exceptions.NoPermissionError):
        return (
            f"{address.setting_of(prefix + 'username')} is {user!r}, who may not do all we need"
            f" ({error}); allowed: a user with the rights that `manage.py acl` prints"
        )
    if not isinstance(error, driver.AuthenticationError):
        return ""
    is_file = prefix + "password_file" in address.names
    setting = address.setting_of(prefix + ("password_file" if is_file else "password"))
    fault = f"is (not shown), and authentication fails ({error})" if login.password else (
        "names no password, and authentication is required"
    )  # fmt: skip
    return f"{setting} {fault} at {address}; allowed: the password of user {user!r}"


def _of_answer(address: Address, error: BaseException) -> str:
    url, text = address.setting_of("url"), str(error)
    if not isinstance(error, driver.ResponseError):
        return ""
    if isinstance(error, UnknownMaster):
        return (
            f"{url} names the master {address.master!r}, which the sentinels do not know;"
            " allowed: a name that they watch"
        )
    if "DB index is out of range" in text:
        setting = address.setting_of("db")
        return f"{setting} has the database {address.database}; {address} has not; allowed: fewer"
    if "cluster support disabled" in text:
        return f"{url} is redis+cluster://, {address} is no cluster; allowed: redis://"
    if "unknown command" in text and "SENTINEL" in text.upper():
        return f"{url} is redis+sentinel://, {address} are no sentinels; allowed: their addresses"
    if isinstance(error, driver.exceptions.MovedError):
        return f"{url} is redis://, {address} is a node of a cluster; allowed: redis+cluster://"
    return ""


def refuse_role(address: Address, role: Any, info: bytes) -> None:
    """Refuse one server that is not a server of its own, by its answers to ``ROLE`` and ``INFO``.

    Raises:
        EngineRefuses: it is a replica, a sentinel, or a node of a cluster.
    """
    url = address.setting_of("url")
    if address.topology is not Topology.STANDALONE:
        return
    if b"cluster_enabled:1" in info:
        raise EngineRefuses(
            f"{url} is redis://, {address} is a node of a cluster; allowed: redis+cluster://"
        )
    if role == b"slave":
        raise EngineRefuses(
            f"{url} names {address}, a replica that takes no writes; allowed: its primary, or"
            " redis+sentinel://"
        )
    if role == b"sentinel":
        raise EngineRefuses(
            f"{url} names {address}, a sentinel; allowed: the engine, or redis+sentinel://"
        )


def refuse_language(address: Address) -> None:
    """Refuse a server that says nothing, or hangs up, because it speaks TLS and we do not.

    Or the other way round.

    Raises:
        EngineRefuses: it does.
    """
    url, node = address.setting_of("url"), address.nodes[0]
    if address.is_socket:
        return
    if address.tls is None and speaks_tls(node):
        raise EngineRefuses(f"{url} is redis://, {address} speaks TLS; allowed: rediss://")
    if address.tls is not None and speaks_plainly(node):
        raise EngineRefuses(_no_tls(address))
    if address.tls is not None and not address.tls.certificate and wants_certificate(node):
        raise EngineRefuses(_no_certificate(address))


def _no_certificate(address: Address) -> str:
    setting = address.setting_of("ssl_certfile")
    return f"{setting} names none; {address} wants a certificate of ours; allowed: one it knows"


def _no_tls(address: Address) -> str:
    url = address.setting_of("url")
    return f"{url} is rediss://, {address} does not speak TLS; allowed: its TLS port, or redis://"


def speaks_plainly(node: Node) -> bool:
    """Whether a server answers a command that came in plain text."""
    with suppress(OSError), socket.create_connection(node, CONNECT_TIMEOUT_S) as plain:
        plain.sendall(b"PING\r\n")
        return plain.recv(1) in (b"+", b"-")
    return False


def speaks_tls(node: Node) -> bool:
    """Whether a server answers the greeting of TLS."""
    with suppress(OSError), socket.create_connection(node, CONNECT_TIMEOUT_S) as plain:
        try:
            with _trusting().wrap_socket(plain):
                return True
        except ssl.SSLError as fault:
            return "ALERT" in (fault.reason or "")
    return False


def wants_certificate(node: Node) -> bool:
    """Whether a server hangs up on whoever shows no certificate; it says so after the greeting."""
    with suppress(OSError), socket.create_connection(node, CONNECT_TIMEOUT_S) as plain:
        try:
            with _trusting().wrap_socket(plain) as link:
                link.recv(1)
        except ssl.SSLError as fault:
            return _WANTS_CERTIFICATE in (fault.reason or "")
    return False


def _trusting() -> ssl.SSLContext:
    """For looking only: nothing is said to a server that is not known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
