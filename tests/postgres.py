"""A PostgreSQL server of the tests' own, in a folder that is thrown away with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

SETTINGS = {
    # What is written is not worth a wait for the disk: it is thrown away in any case.
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "unix_socket_directories": "", "listen_addresses": "127.0.0.1", "max_connections": "100",
}  # fmt: skip


def find_binaries() -> Path | None:
    """The folder of the newest ``initdb``; Debian keeps it out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class PostgresServer:
    """A cluster in a new folder, run by somebody who is not root: PostgreSQL refuses root."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._user = _unprivileged()
        self.directory = Path(tempfile.mkdtemp(prefix="orchard-postgres-"))
        if self._user:
            shutil.chown(self.directory, self._user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._names = (f"test_{n}" for n in count())
        options = ("--username=orchard", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        subprocess.run(
            self._command("initdb", *options, "--no-sync", f"--pgdata={self._data}"),
            check=True, stdout=subprocess.DEVNULL, **self._as_user,
        )  # fmt: skip

    def url(self, database: str = "postgres") -> str:
        """Where a database of it is."""
        return f"postgresql://orchard@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [f"--port={self.port}", f"-D{self._data}"]
        options += [f"--{name}={value}" for name, value in SETTINGS.items()]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command("postgres", *options), stdout=log, stderr=log, **self._as_user
            )
        stop = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < stop, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, whoever is still connected."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def remove(self) -> None:
        """Throw its folder away."""
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new and empty database, which is dropped in the end."""
        name = next(self._names)
        self._say(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield self.url(name)
        finally:
            self._say(f"DROP DATABASE {name} WITH (FORCE)")

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _log(self) -> Path:
        return self.directory / "log"

    @property
    def _as_user(self) -> dict[str, object]:
        at = {"cwd": "/"}
        return at | ({"user": self._user, "group": _group_of(self._user), "extra_groups": []}
                     if self._user else {})  # fmt: skip

    def _command(self, program: str, *options: str) -> list[str]:
        return [str(self._binaries / program), *options]

    def _say(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def make_server() -> PostgresServer:
    """A running server; the test is skipped on a machine without PostgreSQL, and fails in CI."""
    binaries = find_binaries()
    if binaries is None:
        refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        refuse("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    server = PostgresServer(binaries)
    server.start()
    return server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests; each makes a database of its own in it."""
    server = make_server()
    yield server
    server.stop()
    server.remove()


@pytest.fixture
def own_postgres_server() -> Iterator[PostgresServer]:
    """A server of the test's own, to be stopped and started again."""
    server = make_server()
    yield server
    if server.process.poll() is None:
        server.stop()
    server.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty database, as ``DATABASE_URL`` has it."""
    with postgres_server.database() as url:
        yield url


def _version(path: Path) -> float:
    name = path.parent.parent.name
    return float(name) if name.replace(".", "", 1).isdecimal() else 0.0


def _unprivileged() -> str:
    """Who runs the server in root's stead; nobody else when we are not root."""
    if os.geteuid() != 0:
        return ""
    names = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
