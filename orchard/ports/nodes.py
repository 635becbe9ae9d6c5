"""Push nodes: phones and PCs that answer HTTP themselves (CONTRACTS section 5)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

CHECK_S = 2.0
"""A node that does not answer for so long counts as offline, in seconds."""

CHECKS_AT_ONCE = 20
ALL_CHECKS_S = 5.0
"""Longest that somebody waits for all checks; nodes not asked by then are left unsaid."""


async def check_health(urls: Sequence[str]) -> dict[str, bool]:
    """Ask each node for its line of text, many at a time; whether it answered 200.

    Redirects are not followed, and no more than the head of an answer is read.
    Nodes that could not be asked in time are missing from the answer.
    """
    if not urls:
        return {}
    at_once, health = asyncio.Semaphore(CHECKS_AT_ONCE), dict[str, bool]()
    async with httpx.AsyncClient(timeout=CHECK_S, trust_env=False) as client:

        async def check(url: str) -> None:
            async with at_once:
                health[url] = await _answers(client, url)

        try:
            async with asyncio.timeout(ALL_CHECKS_S):
                await asyncio.gather(*map(check, urls))
        except TimeoutError:
            pass
    return health


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        async with asyncio.timeout(CHECK_S):
            if not await _is_askable(url):
                return False
            async with client.stream("GET", f"{url}/") as answer:
                return answer.status_code == 200
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return False


async def _is_askable(url: str) -> bool:
    """False for addresses where no worker lives but a cloud's metadata does."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    return not any(a.is_link_local or a.is_multicast or a.is_unspecified for a in addresses)
