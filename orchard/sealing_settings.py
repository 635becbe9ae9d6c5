"""The key ring and what it seals, from the site's settings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from orchard.conf import get_conf
from orchard.sealed_keys import sealed_by
from statecore.sealing.faults import BadKeyRing
from statecore.sealing.key_ring import RingFile
from statecore.sealing.site import Sealing


@cache
def site_sealing() -> Sealing:
    """What this site seals, and with which keys; the ring is read once, and again as it changes.

    Raises:
        ImproperlyConfigured: there is no such ring, or it will not do; in one line.
    """
    conf = get_conf()
    if not conf.key_ring:
        return Sealing()
    try:
        ring = RingFile(Path(conf.key_ring).expanduser())
    except BadKeyRing as fault:
        raise ImproperlyConfigured(
            f"ORCHARD_KEY_RING: {fault}; allowed: a file that manage.py key_ring has made"
        ) from None
    return Sealing(ring, conf.sealed_parts, sealed_by(conf.sealed_parts))
