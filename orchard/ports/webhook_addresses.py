"""Where webhooks may go: anywhere in public, and into private networks that were allowed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from orchard.ports.node_addresses import (
    METADATA,
    Address,
    AddressRefused,
    Network,
    meant_by,
    resolve,
)


async def find_receivers(url: str, allowed: Sequence[Network]) -> list[str]:
    """The addresses that a webhook's URL leads to at this moment, each one allowed.

    Whoever connects does so to one of these: a name asked a second time may
    lead somewhere else.

    Raises:
        AddressRefused: one of them is not allowed; the message says which and why.
        OSError: the name leads nowhere.
    """
    addresses = await resolve(url)
    for address in addresses:
        check_receiver(address, allowed)
    return addresses


def check_receiver(text: str, allowed: Sequence[Network]) -> None:
    """Let only an address pass where a webhook may go.

    Raises:
        AddressRefused: no webhook may go there.
    """
    if "%" in text:
        raise AddressRefused(f"no webhook goes to an address of one link only: {text}")
    for address in meant_by(ipaddress.ip_address(text)):
        if address in METADATA:
            raise AddressRefused(f"no webhook goes to a metadata address: {text}")
        if address.is_multicast or address.is_unspecified:
            raise AddressRefused(f"this is not the address of a machine: {text}")
        if not (_is_public(address) or any(address in network for network in allowed)):
            raise AddressRefused(
                f"this is private, and in none of the networks of ORCHARD_WEBHOOK_NETWORKS: {text}"
            )


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_reserved
