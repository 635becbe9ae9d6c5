"""The number of partitions is written down once, and then holds."""

from __future__ import annotations

import pytest

from statecore.store import ops
from statecore.store.base import Store
from statecore.store.partition_count import WrongPartitions, confirm_partitions


def confirm(store: Store, wanted: int) -> None:
    confirm_partitions(store, wanted, "partitions", "events")


def test_an_empty_engine_takes_the_number_and_keeps_it(store: Store) -> None:
    confirm(store, 16)
    confirm(store, 16)
    for wrong in (1, 8):
        with pytest.raises(WrongPartitions, match=f"in 16 partitions, .* asks for {wrong}"):
            confirm(store, wrong)
    assert store.read(ops.Key("partitions")) == [b"16"]


def test_an_engine_from_before_the_number_was_written_has_one(store: Store) -> None:
    store.commit({}, [ops.Append("events", (b"{}",), 10)])
    with pytest.raises(WrongPartitions, match="in 1 partition, "):
        confirm(store, 4)
    confirm(store, 1)
    with pytest.raises(WrongPartitions):
        confirm(store, 4)
