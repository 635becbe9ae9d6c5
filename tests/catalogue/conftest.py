"""The site's database, and an engine behind it."""

from collections.abc import Iterator

import pytest

from orchard.services import engine
from statecore.store import Store


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, db: None) -> Iterator[Store]:
    """The catalogue of the test reads this store."""
    store = request.getfixturevalue(f"{request.param}_store")
    before = engine.use(store)
    yield store
    engine.use(before)
