"""Where state lives: requests as data, steps that yield them, and the engines that answer."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from statecore.store.base import Store
from statecore.store.errors import StoreError

SCHEMES = ("memory", "file", "embedded", "redis", "rediss", "unix")


def open_store(url: str, data_dir: Path | None = None) -> Store:
    """The store that a URL names.

    One of ``memory://``, ``file:///directory``, ``embedded://``, ``redis[s]://…``, ``unix://…``.

    ``data_dir`` is where the embedded engine keeps its files. Engines are
    imported only when asked for.

    Raises:
        StoreError: the URL names no store, or the embedded one has no directory.
        StoreUnavailable: the embedded engine does not start, or the directory cannot be used.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        from statecore.store.memory import MemoryStore

        return MemoryStore()
    if scheme == "file":
        from statecore.store.file import open_file

        return open_file(url)
    if scheme == "embedded":
        from statecore.store.embedded import open_embedded

        if data_dir is None:
            raise StoreError("The embedded store needs a data directory")
        return open_embedded(data_dir)
    if scheme in SCHEMES:
        from statecore.store.redis import RedisStore

        return RedisStore(url)
    raise StoreError(f"{url!r} names no store; allowed are {', '.join(f'{s}://' for s in SCHEMES)}")
