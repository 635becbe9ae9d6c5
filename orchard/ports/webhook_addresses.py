"""Where webhooks may go: anywhere in public, and into private networks that were allowed."""

from __future__ import annotations

from collections.abc import Sequence

from orchard.ports.node_addresses import (
    Address,
    AddressRefused,
    Network,
    find_checked,
    machines_at,
)


async def find_receivers(url: str, allowed: Sequence[Network]) -> list[str]:
    """The addresses that a webhook's URL leads to at this moment, each one allowed.

    Raises:
        AddressRefused: one of them is not allowed; the message says which and why.
        OSError: the name leads nowhere.
    """
    return await find_checked(url, lambda address: check_receiver(address, allowed))


def check_receiver(text: str, allowed: Sequence[Network]) -> None:
    """Let only an address pass where a webhook may go.

    Raises:
        AddressRefused: no webhook may go there.
    """
    for address in machines_at(text, "no webhook goes to"):
        if not (_is_public(address) or any(address in network for network in allowed)):
            raise AddressRefused(
                f"this is private, and in none of the networks of ORCHARD_WEBHOOK_NETWORKS: {text}"
            )


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_reserved
