"""What the fuzzing needs: patience in its long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.fixtures import (  # noqa: F401 - fixtures are used by their names
    _site,
    client,
    store,
    tokens,
    viewer,
)
from tests.fuzz.sizes import EXAMPLES

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long form takes as long as it takes."""
    for item in items:
        if EXAMPLES and HERE in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(0))
