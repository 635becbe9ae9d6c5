"""Signing keys at rest: sealed with the first key of the ring, when the site has one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from orchard.webhooks.models import Endpoint
from statecore.sealing.faults import SealFault
from statecore.sealing.key_ring import Key
from statecore.sealing.site import Sealing, sealing_of_site
from statecore.sealing.values import key_id_of, seal, unseal


class SecretsReport(msgspec.Struct):
    """What became of the signing keys."""

    sealed: int = 0
    """Keys that were sealed anew, or opened."""
    right: int = 0
    damaged: list[str] = []
    """Endpoints whose keys do not open."""


def keep(uid: str, secret: bytes) -> bytes:
    """A signing key as it is kept."""
    return _kept(uid, secret, _key_of(sealing_of_site()))


def secrets_of(endpoint: Endpoint, at: datetime) -> list[bytes]:
    """The keys that sign for an endpoint now, the newest first.

    Raises:
        SealFault: one does not open.
    """
    found = [_open(endpoint.uid, endpoint.secret)]
    if endpoint.old_secret is not None and endpoint.old_until and at < endpoint.old_until:
        found.append(_open(endpoint.uid, endpoint.old_secret))
    return found


def reseal(sealing: Sealing, tell: Callable[[int], None]) -> SecretsReport:
    """Have all signing keys sealed with the first key of a ring, or opened where nothing is."""
    key = _key_of(sealing)
    report = SecretsReport()
    for endpoint in Endpoint.objects.all():
        for field in ("secret", "old_secret"):
            _reseal(endpoint, field, key, report)
        tell(report.sealed + report.right)
    return report


def _reseal(endpoint: Endpoint, field: str, key: Key | None, report: SecretsReport) -> None:
    raw = getattr(endpoint, field)
    if raw is None:
        return
    if key_id_of(bytes(raw)) == (key.id if key else ""):
        report.right += 1
        return
    try:
        kept = _kept(endpoint.uid, _open(endpoint.uid, raw), key)
    except SealFault:
        report.damaged.append(endpoint.uid)
        return
    # Only if it is still the same: it may be rotated meanwhile.
    same = Endpoint.objects.filter(pk=endpoint.pk, **{field: raw})
    report.sealed += same.update(**{field: kept})


def _kept(uid: str, secret: bytes, key: Key | None) -> bytes:
    return seal(key, _place(uid), secret) if key else secret


def _key_of(sealing: Sealing) -> Key | None:
    """What seals them: the first key of the ring, wherever anything is sealed at all."""
    return sealing.ring.first if sealing.ring and sealing.parts else None


def _open(uid: str, raw: bytes | memoryview) -> bytes:
    return unseal(sealing_of_site().ring, _place(uid), bytes(raw))


def _place(uid: str) -> tuple[str, ...]:
    return ("webhook", uid)
