"""A whole installation, as ``make run`` starts it: engine, web, pipeline and two agents."""

from collections.abc import Iterator

import pytest

from tests.foundation.launcher import Launched, free_port


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    """One installation for all tests that hand in recordings."""
    launched = Launched(tmp_path_factory.mktemp("installation"), free_port())
    launched.await_ready()
    yield launched
    try:
        launched.stop()
    finally:
        launched.end()
