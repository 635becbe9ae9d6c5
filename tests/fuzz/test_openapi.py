"""The whole API document against a real web process on a real engine: no fault is ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.server import Server
from tests.conftest import EngineServer
from tests.fuzz import site
from tests.fuzz.openapi import examine
from tests.fuzz.sizes import EXAMPLES

PLENTY = str(10**8)
"""Requests in a minute that the site under test stands."""


@pytest.fixture
def server(own_engine_server: EngineServer, tmp_path: Path):
    """A web process that does not count its guests' requests."""
    limits = {f"ORCHARD_THROTTLE_{who}": PLENTY for who in ("KNOWN", "HOT", "STRANGERS")}
    server = Server(
        tmp_path / "data", own_engine_server.url, ORCHARD_NODE_NETWORKS="127.0.0.0/8",
        ORCHARD_OPENAI_WAIT_S="0.01", **limits,
    )  # fmt: skip
    server.start()
    yield server
    server.stop()


@pytest.mark.timeout(0 if EXAMPLES else 900)
def test_whatever_the_document_allows_or_forbids_is_answered_as_it_says(
    server: Server, own_engine_server: EngineServer, tmp_path: Path
):
    known = site.fill(server, own_engine_server.url)
    document = server.client.get("/api/v1/schema?format=json").json()
    found = examine(server, known, tmp_path, EXAMPLES or 3)
    assert found.is_good, found.words
    assert (found.tested, found.left_out) == (sum(map(len, document["paths"].values())), 0)
    assert found.cases > 20 * found.tested
