"""How long the fuzzing is: short in every test run, long with ``FUZZ_EXAMPLES=10000``."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 0))
"""Cases for each parser; 0: as many as each test says."""


def cases(usual: int, *, share: float = 1.0) -> Any:
    """So many cases in the ordinary run, and this share of ``FUZZ_EXAMPLES`` in the long form."""
    return settings(
        max_examples=round(EXAMPLES * share) or usual,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
