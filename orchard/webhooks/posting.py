"""Posting: one message to exactly one checked address, within a time, following nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

import msgspec

from orchard.ports.node_addresses import AddressRefused, Network
from orchard.ports.webhook_addresses import find_receivers

if TYPE_CHECKING:  # most processes send nothing; who does loads it then
    import httpx

EXCERPT_BYTES = 1_000
"""How much is read of an answer."""
EXCERPT_S = 1.0
"""How long the rest of an answer is waited for, once its status is known."""
REASON_MAX = 300


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent where."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one attempt."""

    status: int | None = None
    error: str = ""
    """Why it failed; empty when it was heard."""
    excerpt: str = ""
    took_ms: int = 0
    retry_after_s: float = 0.0
    """How long the receiver asks to be left alone."""


class _Unheard(Exception):
    """An attempt failed before there was an answer; says why."""


class Courier:
    """Sends letters beside the thread that asks for it, many at a time."""

    def __init__(self, allowed: Sequence[Network], timeout_s: float) -> None:
        self._allowed, self._timeout_s = allowed, timeout_s
        self._loop = asyncio.new_event_loop()
        self._client: httpx.AsyncClient | None = None
        self._thread = Thread(target=self._loop.run_forever, name="webhook-post", daemon=True)
        self._thread.start()

    def send(self, letter: Letter) -> Future[Outcome]:
        """Send a letter; the outcome comes in any case."""
        return asyncio.run_coroutine_threadsafe(self._send(letter), self._loop)

    def close(self) -> None:
        """Let everything go that is on its way."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        await self._loop.shutdown_asyncgens()

    async def _send(self, letter: Letter) -> Outcome:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                outcome = await self._ask(letter)
        except TimeoutError:
            outcome = Outcome(error=f"it did not answer in time: {self._timeout_s:g} s")
        except _Unheard as fault:
            outcome = Outcome(error=str(fault)[:REASON_MAX])
        except Exception as fault:  # whatever is in an address, or in an answer
            outcome = Outcome(error=f"it cannot be asked: {_words(fault)}"[:REASON_MAX])
        took_ms = round((time.monotonic() - begun) * 1000)
        return msgspec.structs.replace(outcome, took_ms=took_ms)

    async def _ask(self, letter: Letter) -> Outcome:
        """Ask at each address that the name leads to, until one can be connected to."""
        import httpx

        unreached: Exception | None = None
        for address in await self._addresses(letter.url):
            try:
                return await self._post(letter, address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as missed:
                unreached = missed
            except httpx.HTTPError as broken:
                raise _Unheard(f"it broke the connection off: {_words(broken)}") from None
        raise _Unheard(f"it cannot be reached: {_words(unreached)}")

    async def _addresses(self, url: str) -> list[str]:
        try:
            return await find_receivers(url, self._allowed)
        except AddressRefused as refusal:
            raise _Unheard(str(refusal)) from None
        except OSError as fault:
            raise _Unheard(f"its name leads nowhere: {fault}") from None

    async def _post(self, letter: Letter, address: str) -> Outcome:
        client, named = self._opened(), _parsed(letter.url)
        headers = {"Host": named.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        request = client.build_request(
            "POST", named.copy_with(host=address), headers={**headers, **letter.headers},
            content=letter.body, extensions={"sni_hostname": named.host},
        )  # fmt: skip
        answer = await client.send(request, stream=True)
        try:
            return _outcome(answer, await _excerpt(answer))
        finally:
            await answer.aclose()

    def _opened(self) -> httpx.AsyncClient:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                trust_env=False, follow_redirects=False, timeout=None,  # noqa: S113 - see _send
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )  # fmt: skip
        return self._client


def _parsed(url: str) -> httpx.URL:
    import httpx

    return httpx.URL(url)


async def _excerpt(answer: httpx.Response) -> str:
    """How the answer begins, as far as it comes; that it was heard is known already."""
    import httpx

    content = bytearray()
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(EXCERPT_S):
            async for block in answer.aiter_raw():
                content += block
                if len(content) >= EXCERPT_BYTES:
                    break
    text = bytes(content[:EXCERPT_BYTES]).decode("utf-8", "replace")
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)


def _outcome(answer: httpx.Response, excerpt: str) -> Outcome:
    status = answer.status_code
    error = "" if 200 <= status < 300 else f"it answered with an error: {status}"
    if 300 <= status < 400:
        error = f"it redirects, which is not followed: {status}"
    told = answer.headers.get("Retry-After", "") if status in (429, 503) else ""
    retry_after_s = float(told) if told.isascii() and told.isdigit() and len(told) < 9 else 0.0
    return Outcome(status=status, error=error, excerpt=excerpt, retry_after_s=retry_after_s)


def _words(fault: Exception | None) -> str:
    return str(fault) or type(fault).__name__
