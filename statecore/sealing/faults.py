"""What can be wrong with keys and seals."""

from __future__ import annotations


class SealFault(ValueError):
    """Something sealed cannot be opened, or nothing can be sealed."""


class BadKeyRing(SealFault):
    """A key ring is missing, open to others, or no key ring; says which, and never a key."""


class MissingKey(SealFault):
    """Something was sealed with a key that the key ring does not have."""

    def __init__(self, key_id: str, place: str) -> None:
        super().__init__(f"{place} is sealed with the key {key_id!r}, which no key ring here has")
        self.key_id, self.place = key_id, place


class BrokenSeal(SealFault):
    """Sealed bytes were altered, cut off, moved from another place, or sealed with another key."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place} does not open: it was altered, cut off, moved here from another place,"
            " or sealed with another key of the same id"
        )
        self.place = place
