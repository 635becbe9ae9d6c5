"""The number of partitions of an engine, which must never change by accident."""

from __future__ import annotations

from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import StoreError


class WrongPartitions(StoreError):
    """What is in the engine was divided into another number of partitions."""

    def __init__(self, found: str, wanted: int) -> None:
        super().__init__(
            f"the engine holds state in {found} partition{'' if found == '1' else 's'}, and the"
            f" setting asks for {wanted}"
        )
        self.found, self.wanted = found, wanted


def confirm_partitions(engine: Store, wanted: int, key: str, stream: str) -> None:
    """Make sure that what an engine holds is divided as wanted; an empty one is from now on.

    ``engine`` is the store without partitions, ``key`` where the number stands, without a
    tag, ``stream`` one that every used engine of one partition has.

    Raises:
        WrongPartitions: it is divided otherwise; nothing was changed.
        StoreUnavailable: the engine cannot be reached.
    """
    (found,) = engine.read(ops.Key(key))
    if found is None and wanted > 1 and engine.tail(stream, "", 1).entries:
        found = b"1"  # in use since before the number was written down
    if found is None:
        said = engine.commit({ops.Key(key): None}, [ops.Set(key, b"%d" % wanted)])
        found = said.current[ops.Key(key)] if isinstance(said, ops.Conflict) else None
    if found not in (None, b"%d" % wanted):
        raise WrongPartitions(found.decode(errors="replace"), wanted)
