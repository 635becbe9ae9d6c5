"""Where guests come from: the address that they are counted by."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest

from orchard.conf import get_conf


def address_of(request: HttpRequest) -> str | None:
    """The address that a request came from; ``None`` when it is none, as of a Unix socket.

    Proxies add to ``X-Forwarded-For`` at its end, and anybody can begin it: only
    as many places as there are proxies count. Whoever has an IPv6 address has
    2**64 of them, so they count as one.
    """
    return normal(_told(request, get_conf().proxies))


def normal(text: str) -> str | None:
    """An address as it is counted; ``None`` when the text is none."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address), 64), strict=False).network_address)
    return str(address)


def _told(request: HttpRequest, proxies: int) -> str:
    passed_on = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if proxies and passed_on != [""]:
        return str(passed_on[-min(proxies, len(passed_on))])
    return str(request.META.get("REMOTE_ADDR", ""))
