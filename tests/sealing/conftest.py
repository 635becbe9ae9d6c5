"""A site that seals everything, with a ring that a test can change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from statecore.sealing import site
from statecore.sealing.key_ring import KeyRing, make_key
from statecore.sealing.site import Part, Sealing

Seal = Callable[..., Sealing]


@pytest.fixture
def seal() -> Iterator[Seal]:
    """Have the site seal with these keys from now on; with none it seals nothing."""
    before = site.configure(Sealing)

    def use(*keys: object, parts: object = frozenset(Part)) -> Sealing:
        found = Sealing(KeyRing(*keys) if keys else None, parts)
        site.configure(lambda: found)
        return found

    use(make_key("k1"))
    yield use
    site.configure(before)
