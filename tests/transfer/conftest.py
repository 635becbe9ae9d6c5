"""Stores and old directories for what moves state between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from statecore.services import engine
from statecore.store.base import Store
from tests.state.conftest import open_kind, use
from tests.transfer.directories import make_directory


@pytest.fixture(autouse=True)
def _engine_is_put_back() -> Iterator[None]:
    before = engine._open, engine._limits
    yield
    engine._open, engine._limits = before


@pytest.fixture(params=["memory", "redis", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind, which services run on."""
    store = open_kind(request.param, request, tmp_path / "engine")
    use(store)
    yield store
    store.close()


@pytest.fixture(params=["redis", "file"])
def lasting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store that does not forget."""
    store = open_kind(request.param, request, tmp_path / "engine")
    use(store)
    yield store
    store.close()


@pytest.fixture
def old(tmp_path: Path) -> tuple[Path, dict[str, dict]]:
    """An old directory, and the records of its issues."""
    directory = tmp_path / "old"
    return directory, make_directory(directory)
