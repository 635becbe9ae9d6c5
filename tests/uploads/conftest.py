"""The fixtures of the REST API's tests, for uploads, and a real web process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.fixtures import _site, client, store, tokens  # noqa: F401 - used by their names
from tests.api.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A web process with an engine of its own, which does not wait long for silent senders."""
    data = tmp_path_factory.mktemp("data")
    server = Server(data, "memory://", ORCHARD_UPLOAD_IDLE_S="0.5")
    server.start()
    yield server
    server.stop()
