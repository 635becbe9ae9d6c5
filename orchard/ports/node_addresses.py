"""Where we connect to for others: a name is resolved once, each address it leads to is checked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("169.254.169.254", "169.254.170.2", "169.254.169.253", "fd00:ec2::254", "fd00:ec2::253",
         "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd20:ce::254"),
    )
)  # fmt: skip
"""Addresses where clouds tell their machines secrets; never asked, whatever is allowed."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """An address is none that we connect to for this."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks with commas between, as the setting has them."""
    return tuple(ipaddress.ip_network(name.strip()) for name in text.split(",") if name.strip())


async def find_addresses(url: str, allowed: Sequence[Network]) -> list[str]:
    """The addresses that a node's URL leads to at this moment, each one allowed.

    Raises:
        AddressRefused: one of them is not allowed; the message says which and why.
        OSError: the name leads nowhere.
    """
    return await find_checked(url, lambda address: check_address(address, allowed))


async def find_checked(url: str, check: Callable[[str], None]) -> list[str]:
    """The addresses that a URL leads to at this moment, each of them looked at by ``check``.

    Whoever connects does so to one of these: a name asked a second time may
    lead somewhere else.

    Raises:
        AddressRefused: one of them was refused.
        OSError: the name leads nowhere.
    """
    addresses = await resolve(url)
    for address in addresses:
        check(address)
    return addresses


async def resolve(url: str) -> list[str]:
    """The addresses that a URL leads to at this moment, none of them checked.

    Raises:
        AddressRefused: it has no host, or no such port.
        OSError: the name leads nowhere.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as fault:
        raise AddressRefused(f"there is no such address or port: {fault}") from None
    if not parts.hostname:
        raise AddressRefused("there is no such address: it has no host")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except UnicodeError as fault:  # a name with a part that is empty or too long
        raise OSError(f"no name that can be asked for: {fault}") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_address(text: str, allowed: Sequence[Network]) -> None:
    """Let only an address pass where a node may be.

    Raises:
        AddressRefused: a node may not be there.
    """
    for address in machines_at(text, "no node is at"):
        if not any(address in network for network in allowed):
            raise AddressRefused(
                f"this is in none of the networks of ORCHARD_NODE_NETWORKS: {text}"
            )


def machines_at(text: str, nobody: str) -> Iterator[Address]:
    """Where packets to an address go; ``nobody`` begins what is said of one that nobody may have.

    Raises:
        AddressRefused: it is of one link only, a cloud's metadata, or no machine's.
    """
    if "%" in text:
        raise AddressRefused(f"{nobody} an address of one link only: {text}")
    for address in meant_by(ipaddress.ip_address(text)):
        if address in METADATA:
            raise AddressRefused(f"{nobody} a metadata address: {text}")
        if address.is_multicast or address.is_unspecified:
            raise AddressRefused(f"this is not the address of a machine: {text}")
        yield address


def meant_by(address: Address) -> Iterator[Address]:
    """The address that packets go to in the end: IPv6 has several ways to write an IPv4 one."""
    if not isinstance(address, ipaddress.IPv6Address):
        yield address
        return
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    yield inner or address
