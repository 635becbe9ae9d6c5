"""Push nodes: phones and PCs that answer HTTP themselves (CONTRACTS section 5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from orchard.domain.nodes import Condition
from orchard.ports.node_addresses import AddressRefused, Network, find_addresses

if TYPE_CHECKING:  # most processes ask no node; who does loads it then
    import httpx

CHECK_S = 2.0
"""A node that does not answer for so long counts as unreachable, in seconds."""
CONNECT_S = 5.0
CHECKS_AT_ONCE = 20
ALL_CHECKS_S = 5.0
"""Longest that somebody waits for all checks; nodes not asked by then are left unsaid."""
ANSWER_MAX_BYTES = 4_000_000
"""Longest answer that is read; a node that sends more is cut off."""
WORDS_MAX_BYTES = 1_000
"""How much is read of a line of text, or of the reason for a failure."""

_CUT_OFF = ("disconnected", "peer closed")


class NodeFault(Exception):
    """A node did not do what it was asked for."""

    def __init__(self, condition: Condition, reason: str) -> None:
        super().__init__(reason)
        self.condition, self.reason = condition, reason


class _Answer(NamedTuple):
    status: int
    body: bytes


class Sound(NamedTuple):
    """Sound to be sent: its size in bytes, and its blocks, from the start each time."""

    size: int
    blocks: Callable[[], AsyncIterable[bytes]]


class NodeClient:
    """Asks nodes within the allowed networks; follows no redirects, and no proxy of the machine."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        import httpx

        self._allowed = allowed
        self._client = httpx.AsyncClient(
            trust_env=False, follow_redirects=False, timeout=httpx.Timeout(None, connect=CONNECT_S),
            # A phone that sleeps between two chunks leaves connections behind that are dead.
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def probe(self, url: str) -> None:
        """Ask a node for its line of text.

        Raises:
            NodeFault: it is not well, or its address is forbidden.
        """
        try:
            async with asyncio.timeout(CHECK_S):
                answer = await self._ask("GET", f"{url}/", WORDS_MAX_BYTES, cut=True)
        except TimeoutError:
            reason = f"it did not answer in time: {CHECK_S:g} s"
            raise NodeFault(Condition.UNREACHABLE, reason) from None
        _check_status(answer)

    async def transcribe(self, url: str, sound: Sound, timeout_s: float) -> bytes:
        """Send sound (WAV) to a node; its answer as it came, of at most ``ANSWER_MAX_BYTES``.

        Raises:
            NodeFault: it did not answer 200 in time, or answered too much.
        """
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._ask("POST", f"{url}/transcribe", ANSWER_MAX_BYTES, sound)
        except TimeoutError:
            reason = f"it did not finish in time: {timeout_s:.3g} s"
            raise NodeFault(Condition.SLOW, reason) from None
        _check_status(answer)
        return answer.body

    async def _ask(
        self, method: str, url: str, most: int, sound: Sound | None = None, *, cut: bool = False
    ) -> _Answer:
        """Ask at each address that the name leads to, until one can be connected to."""
        import httpx

        try:
            addresses = await find_addresses(url, self._allowed)
        except AddressRefused as refusal:
            raise NodeFault(Condition.FORBIDDEN, str(refusal)) from None
        except (OSError, UnicodeError) as fault:
            words = f"its name leads nowhere: {fault}"
            raise NodeFault(Condition.UNREACHABLE, words) from None
        unreached: httpx.HTTPError | None = None
        for address in addresses:
            request = self._request(method, url, address, sound)
            try:
                return await self._send(request, most, cut=cut)
            except (httpx.ConnectError, httpx.ConnectTimeout) as missed:
                unreached = missed
            except httpx.HTTPError as broken:
                raise _explain(broken) from None
        raise NodeFault(Condition.UNREACHABLE, f"it cannot be reached: {_words(unreached)}")

    def _request(self, method: str, url: str, address: str, sound: Sound | None) -> httpx.Request:
        """A request to exactly this address, in the name of the URL's host."""
        import httpx

        named = httpx.URL(url)
        headers = {"Host": named.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        if sound:
            headers |= {"Content-Type": "audio/wav", "Content-Length": str(sound.size)}
        return self._client.build_request(
            method, named.copy_with(host=address), headers=headers,
            content=sound.blocks() if sound else None, extensions=_extensions(named.host),
        )  # fmt: skip

    async def _send(self, request: httpx.Request, most: int, *, cut: bool) -> _Answer:
        answer = await self._client.send(request, stream=True)
        try:
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                # A few packed bytes may stand for gigabytes; nobody asked for packed ones.
                raise NodeFault(Condition.NONSENSE, "its answer is compressed")
            if answer.status_code != 200:
                most, cut = WORDS_MAX_BYTES, True
            return _Answer(answer.status_code, await _read(answer, most, cut=cut))
        finally:
            await answer.aclose()


async def check_health(urls: Sequence[str], allowed: Sequence[Network]) -> dict[str, bool]:
    """Ask each node for its line of text, many at a time; whether it answered 200.

    Nodes that could not be asked in time are missing from the answer.
    """
    if not urls:
        return {}
    at_once, health = asyncio.Semaphore(CHECKS_AT_ONCE), dict[str, bool]()
    async with NodeClient(allowed) as client:

        async def check(url: str) -> None:
            async with at_once:
                try:
                    await client.probe(url)
                    health[url] = True
                except NodeFault:
                    health[url] = False

        try:
            async with asyncio.timeout(ALL_CHECKS_S):
                await asyncio.gather(*map(check, urls))
        except TimeoutError:
            pass
    return health


async def _read(answer: httpx.Response, most: int, *, cut: bool) -> bytes:
    """The body; one that is longer is an error, or with ``cut`` is read no further."""
    told = answer.headers.get("Content-Length", "")
    content = bytearray()
    if cut or not (told.isdigit() and int(told) > most):
        async for block in answer.aiter_raw():
            content += block
            if len(content) > most:
                break
        else:
            return bytes(content)
    if cut:
        return bytes(content[:most])
    raise NodeFault(Condition.NONSENSE, f"its answer is too long: more than {most} bytes")


def _extensions(host: str) -> dict[str, str]:
    """The name that a TLS certificate must be for, as the URL now has an address instead."""
    return {"sni_hostname": host}


def _check_status(answer: _Answer) -> None:
    if answer.status == 200:
        return
    if 300 <= answer.status < 400:
        reason = f"it redirects, which is not followed: {answer.status}"
        raise NodeFault(Condition.NONSENSE, reason)
    words = " ".join(answer.body[:200].decode("utf-8", "replace").replace("\0", "").split())
    reason = f"it answered with an error: {answer.status} {words}"
    raise NodeFault(Condition.FAILING, reason.rstrip())


def _explain(fault: httpx.HTTPError) -> NodeFault:
    import httpx

    words = _words(fault)
    is_garbled = isinstance(fault, httpx.RemoteProtocolError) and not any(
        sign in words for sign in _CUT_OFF
    )
    if is_garbled:
        return NodeFault(Condition.NONSENSE, f"its answer is not HTTP: {words}")
    return NodeFault(Condition.BREAKING, f"it broke the connection off: {words}")


def _words(fault: Exception | None) -> str:
    return str(fault) or type(fault).__name__
