"""The settings of what is sealed, and where its keys are."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_values import setting
from statecore.sealing.site import Part

DEFAULT = ",".join(part for part in Part if part is not Part.RECORDS)
"""All but what other programs of the contracts read."""


def is_part_list(value: str) -> str:
    """Check names of parts with commas between."""
    names = [name.strip() for name in value.split(",")]
    is_right = set(names) <= {*Part} or not value.strip()
    return "" if is_right else f"some of {', '.join(Part)}, with commas between"


@dataclass(frozen=True, kw_only=True)
class SealingConf:
    """Encryption at rest."""

    key_ring: str = setting(
        "", "ORCHARD_KEY_RING",
        "File of the keys that seal what is kept (mode 600; key_ring makes one); empty: nothing is"
        " sealed.",
    )  # fmt: skip
    sealed: str = setting(
        DEFAULT, "ORCHARD_SEALED",
        "What is sealed, with commas between: state, transcripts, files, backups, and records,"
        " which other programs can then no longer read.",
        check=is_part_list,
    )  # fmt: skip

    @property
    def sealed_parts(self) -> frozenset[Part]:
        """What is sealed."""
        return frozenset(Part(name.strip()) for name in self.sealed.split(",") if name.strip())
