"""Engines of every kind for upgrades: the store of a site over each of them."""

from __future__ import annotations

import pytest

from orchard import keys
from orchard.placement import LAYOUT
from orchard.sealed_keys import sealed_by
from orchard.services import engine
from statecore.sealing import site
from statecore.sealing.key_ring import KeyRing, make_key
from statecore.sealing.site import Part, Sealing
from statecore.store.memory import MemoryStore
from statecore.store.partitions import PartitionedStore
from statecore.store.schema import Schema, write_schema
from statecore.store.sealing import SealedStore
from statecore.store.walking import below

ALL = frozenset(Part)
SEALING = Sealing(KeyRing(make_key("k1")), ALL, sealed_by(ALL))


@pytest.fixture(params=["memory", "redis", "sealed", "partitions", "cluster"])
def store(request):
    """The services of the test run against this store, whose state is of version 1."""
    found = _store_of(request)
    was = site.configure(lambda: SEALING) if request.param == "sealed" else None
    before = engine.use(found)
    write_schema(below(found), keys.SCHEMA, None, Schema(version=1))
    yield found
    engine.use(before)
    if was:
        site.configure(was)


def _store_of(request):
    if request.param == "memory":
        return MemoryStore()
    if request.param == "sealed":
        sealed = SealedStore(request.getfixturevalue("redis_store"), SEALING.ring, SEALING.seals)
        return PartitionedStore(sealed, 3, LAYOUT)
    if request.param == "partitions":
        return PartitionedStore(request.getfixturevalue("redis_store"), 5, LAYOUT)
    return request.getfixturevalue(f"{request.param}_store")
