"""How long and how hard a storm blows: short in every test run, long with ``make soak``."""

from __future__ import annotations

import os
import random

import msgspec


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how hard the storm blows."""

    rounds: int
    """How often each fault comes."""
    jobs: int
    """At least so many jobs for each kind of fault."""
    chunks: int
    agents: int
    pause_s: float
    """How long the engine stands still."""
    seed: int
    patience_s: float

    @classmethod
    def chosen(cls) -> Size:
        """What the environment asks for, by default the small storm of each test run."""

        def number(name: str, default: str) -> float:
            return float(os.environ.get(f"SOAK_{name}", default))

        return cls(
            rounds=int(number("ROUNDS", "3")), jobs=int(number("JOBS", "6")),
            chunks=int(number("CHUNKS", "4")), agents=int(number("AGENTS", "3")),
            pause_s=number("PAUSE_S", "2.2"), patience_s=number("PATIENCE_S", "90"),
            seed=int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6)),
        )  # fmt: skip
