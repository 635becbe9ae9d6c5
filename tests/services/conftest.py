"""A store for each services test: the memory store with a clock that the test moves."""

from collections.abc import Iterator

import pytest

from orchard.services import engine
from statecore.store import Store


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The services of the test run against this store."""
    store = request.getfixturevalue(f"{request.param}_store")
    before = engine.use(store)
    yield store
    engine.use(before)
