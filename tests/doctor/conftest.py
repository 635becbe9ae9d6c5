"""A real engine with a fleet's state in it, on both sides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchard.services import engine
from statecore.store import Store

STORES = ["memory", "redis", *(["cluster"] if "SOAK_ROUNDS" in os.environ else [])]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, settings, tmp_path: Path) -> Iterator[Store]:
    """The services of both sides run against this store; files lie in a folder of the test's."""
    settings.MEDIA_ROOT = tmp_path / "media"
    store = request.getfixturevalue(f"{request.param}_store")
    before = engine.use(store)
    yield store
    engine.use(before)
