"""Under which names this machine is reached, for those who do not want to list them."""

from __future__ import annotations

import ipaddress
import socket

from orchard.conf import get_conf

LOCAL = ["127.0.0.1", "localhost", "[::1]"]


def allowed_hosts(named: str, listen_on: str) -> list[str]:
    """The host names that the site answers to.

    Without a list these are the names of this machine: local ones, and when it
    listens to others also what others call it. A page elsewhere that points a
    name of its own here (DNS rebinding) stays refused.
    """
    hosts = [host.strip() for host in named.split(",") if host.strip()]
    if hosts:
        return [*hosts, *(host for host in LOCAL if host not in hosts)]
    if _is_loopback(listen_on):
        return LOCAL
    if not _is_any(listen_on):
        return [*LOCAL, _as_host(listen_on)]
    name = socket.gethostname()
    return [*LOCAL, name, f"{name.partition('.')[0]}.local", *_addresses(name)]


def own_address() -> str:
    """Where this machine itself finds the site, without a slash at the end."""
    conf = get_conf()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(conf.host, conf.host)  # noqa: S104
    return f"http://{_as_host(host)}:{conf.port}"


def _addresses(name: str) -> list[str]:
    """This machine's own addresses, as its name and its way to the outside tell them."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except OSError:
        found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; it only chooses an interface
            found.add(probe.getsockname()[0])
        except OSError:
            pass
    return sorted(_as_host(address.partition("%")[0]) for address in found)


def _as_host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
