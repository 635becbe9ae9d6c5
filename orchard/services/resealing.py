"""All that is kept, sealed anew with the first key of the ring, while it is in use."""

from __future__ import annotations

from collections.abc import Callable

from orchard import keys
from orchard.ports.resealing import FilesReport, reseal_files
from orchard.sealed_keys import sealed_by
from orchard.services.engine import get_engine
from statecore.sealing.faults import MissingKey
from statecore.sealing.key_ring import Key, KeyRing
from statecore.sealing.site import Part, Sealing
from statecore.store.errors import EngineRefuses
from statecore.store.resealing import ResealReport, Wanted, reseal

__all__ = ["FilesReport", "ResealReport", "files", "values"]

Tell = Callable[[int], None]


def values(sealing: Sealing, tell: Tell, *, drop_events: bool = False) -> ResealReport:
    """Have the engine's values sealed so, or opened where nothing is to be sealed.

    With ``drop_events``, events are forgotten if some are sealed otherwise: pages and
    watchers read everything again.

    Raises:
        EngineAway: the engine cannot be reached, or something needs a key that is not there.
    """

    def key_for(name: str) -> Key | None:
        return sealing.ring.first if sealing.ring and sealing.seals(name) else None

    first = key_for(keys.EVENTS)  # they are sealed with whatever else is
    dropped = frozenset({keys.EVENTS} if drop_events else ())
    wanted = Wanted(sealing.ring or KeyRing(), sealed_by(frozenset(Part)), key_for, dropped)
    try:
        return reseal(get_engine(), wanted, first, tell)
    except MissingKey as missing:
        raise EngineRefuses(str(missing)) from None


def files(sealing: Sealing, tell: Tell) -> FilesReport:
    """Have the files of jobs sealed so, or opened where nothing is to be sealed.

    Raises:
        OSError: there is no room; what was done stays done.
    """
    return reseal_files(sealing.key_for(Part.FILES), tell)
