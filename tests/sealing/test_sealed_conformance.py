"""Whatever every store promises, a sealed one promises too: the suite of all stores over it."""

from __future__ import annotations

import pytest

from statecore.sealing.key_ring import KeyRing, make_key
from statecore.store.layouts import Layout
from statecore.store.partitions import PartitionedStore
from statecore.store.sealing import SealedStore
from tests.store.conftest import run  # noqa: F401 - a fixture is used by its name
from tests.store.test_conformance import (  # noqa: F401 - pytest collects them here again
    TestCommits,
    TestIndexes,
    TestLifetimes,
    TestReads,
    TestTails,
    TestTakes,
    TestTakesWithCompanions,
)


@pytest.fixture(params=["memory", "redis", "partitions"])
def store(request, engine_server):
    """An empty store over an engine that sees nothing but sealed values."""
    kind = "memory" if request.param == "partitions" else request.param
    if kind == "redis":
        below = request.getfixturevalue("redis_store")
    else:
        from statecore.store.memory import MemoryStore

        below = MemoryStore()
    sealed = SealedStore(below, KeyRing(make_key("k1")), lambda key: True)
    yield PartitionedStore(sealed, 1, Layout()) if request.param == "partitions" else sealed
    sealed.close()


@pytest.fixture
def forget_all(store):
    """``FLUSHDB``, by hand."""

    def forget() -> None:
        sealed = store.engine if isinstance(store, PartitionedStore) else store
        if hasattr(sealed.engine, "flush"):
            sealed.engine.flush()
        else:
            sealed.engine._links.exchange_everywhere(["FLUSHDB"])

    return forget
