"""A store for each services test: the memory store with a clock that the test moves."""

from collections.abc import Iterator

import pytest

from orchard.placement import LAYOUT
from orchard.services import engine
from statecore.store import Store
from statecore.store.partitions import PartitionedStore


@pytest.fixture(params=["memory", "redis", "partitioned", "cluster"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The services of the test run against this store."""
    if request.param == "partitioned":
        store: Store = PartitionedStore(request.getfixturevalue("memory_store"), 5, LAYOUT)
    else:
        store = request.getfixturevalue(f"{request.param}_store")
    before = engine.use(store)
    yield store
    engine.use(before)
