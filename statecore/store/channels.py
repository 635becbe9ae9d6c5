"""Messages between programs over the engine's publish/subscribe channels.

A message reaches whoever listens at that moment, and nobody else; in a cluster
the nodes tell each other, so it does not matter to which one somebody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from statecore.store.base import Store
from statecore.store.errors import StoreUnavailable
from statecore.store.partitions import PartitionedStore
from statecore.store.redis import RedisStore
from statecore.store.routed import AnyAsyncLinks
from statecore.store.sealing import below_seals
from statecore.store.translation import driver_errors

ASK_EVERY_S = 10.0
"""How often a quiet connection is asked whether it still stands, in seconds."""
SILENCE_S = 25.0
"""An engine that says nothing for so long counts as gone, in seconds."""
PUBLISHERS = 4
"""Messages that are on their way to the engine at once."""

Message = tuple[str, bytes]


class Channels:
    """The channels of one engine, for one event loop.

    Raises (all methods):
        StoreUnavailable: the engine cannot be reached.
    """

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._links: AnyAsyncLinks | None = None

    async def publish(self, channel: str, message: bytes) -> int:
        """Tell everybody who listens; how many do at the server that was told."""
        with driver_errors():
            links = await self._open()
            return int(await links.exchange(["PUBLISH", channel, message]))

    @asynccontextmanager
    async def listen(self, *channels: str) -> AsyncIterator[AsyncIterator[Message]]:
        """All messages of some channels, in the order of the engine, from here on."""
        with driver_errors():
            link = await (await self._open()).connected()
        try:
            with driver_errors():
                async with asyncio.timeout(SILENCE_S):
                    await link.send_command("SUBSCRIBE", *channels)
                    for _ in channels:
                        await link.read_response()
            asking = asyncio.create_task(_keep_asking(link))
            try:
                yield _messages(link)
            finally:
                asking.cancel()
        finally:
            await link.disconnect(nowait=True)

    async def _open(self) -> AnyAsyncLinks:
        if self._links is None:
            self._links = self._store.async_links(PUBLISHERS)
            await self._links.open()
        return self._links

    async def close(self) -> None:
        """Give back the connections."""
        if self._links is not None:
            await self._links.close()


def open_channels(store: Store) -> Channels | None:
    """The channels of a store's engine; ``None`` when it has none (memory, files)."""
    engine = below_seals(store.engine if isinstance(store, PartitionedStore) else store)
    return Channels(engine) if isinstance(engine, RedisStore) else None


async def _messages(link: Any) -> AsyncIterator[Message]:
    while True:
        try:
            with driver_errors():
                async with asyncio.timeout(SILENCE_S):
                    kind, *rest = await link.read_response()
        except TimeoutError:
            raise StoreUnavailable("The state engine has fallen silent") from None
        if kind == b"message":
            yield rest[0].decode("utf-8", "replace"), rest[1]


async def _keep_asking(link: Any) -> None:
    """Have the engine say something; when it is gone, whoever reads finds out."""
    with suppress(Exception):
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            await link.send_command("PING")
