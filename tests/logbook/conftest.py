"""The fixtures of the logbook's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.logbook.logbooks import Logbook


@pytest.fixture
def logbook(tmp_path: Path) -> Iterator[Logbook]:
    """An empty log database."""
    made = Logbook(tmp_path / "logs.sqlite3")
    yield made
    made.writer.close()
