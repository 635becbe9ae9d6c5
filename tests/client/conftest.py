"""A real web process on an engine of its own, and clients of it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from orchard_client import Client
from tests.api.server import Server
from tests.conftest import EngineServer


class Site:
    """A web process and its engine, each to be stopped and started."""

    def __init__(self, server: Server, engine: EngineServer) -> None:
        self.server = server
        self.engine = engine
        self.url = f"http://127.0.0.1:{server.port}"
        self.token = (server.data / "token").read_text().strip()

    @property
    def environ(self) -> dict[str, str]:
        """What a shell has in which the command line is used."""
        return {"ORCHARD_URL": self.url, "ORCHARD_TOKEN": self.token}

    def client(self, **options: float) -> Client:
        """A client with all rights."""
        return Client(self.url, self.token, **options)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One web process for all tests of this folder; whoever stops something starts it again."""
    engine = EngineServer(tmp_path_factory.mktemp("client-engine"))
    engine.start()
    server = Server(tmp_path_factory.mktemp("client-data"), engine.url)
    server.start()
    yield Site(server, engine)
    server.stop()
    engine.stop()


@pytest.fixture
def orchard(site: Site) -> Iterator[Client]:
    """A client of it."""
    with site.client() as client:
        yield client


def sound(size: int = 1000) -> io.BytesIO:
    """A file to hand in; there is no pipeline that would look into it."""
    return io.BytesIO(b"x" * size)
