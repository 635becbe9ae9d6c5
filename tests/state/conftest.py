"""Fixtures of the state side: every kind of store, and services that run on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from statecore.repository import Limits
from statecore.services import engine
from statecore.store import open_store
from statecore.store.base import Store
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore

KINDS = ("memory", "redis", "embedded", "file")


def open_kind(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of a kind."""
    if kind == "redis":
        return request.getfixturevalue("redis_store")
    if kind == "file":
        return open_store(f"file://{tmp_path / 'state'}")
    return open_store(f"{kind}://", tmp_path / "data")


def use(store: Store, limits: Limits | None = None) -> None:
    """Let services run on a store."""
    engine.configure(lambda: store, lambda: limits or Limits())


@pytest.fixture(autouse=True)
def _engine_is_put_back() -> Iterator[None]:
    before = engine._open, engine._limits
    yield
    engine._open, engine._limits = before


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind, which services run on."""
    store = open_kind(request.param, request, tmp_path)
    use(store)
    yield store
    store.close()


@pytest.fixture
def still(memory_store: MemoryStore, clock: ManualClock) -> ManualClock:
    """Services run on a memory store whose time this clock tells."""
    use(memory_store)
    return clock
