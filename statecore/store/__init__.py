"""Where state lives: requests as data, steps that yield them, and the engines that answer."""

from __future__ import annotations

from pathlib import Path

from statecore.store.addresses import Address
from statecore.store.base import Store
from statecore.store.errors import StoreError
from statecore.store.patience import LEAST_PATIENCE_S

SCHEMES = (
    "memory", "file", "embedded", "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel",
    "redis+cluster", "rediss+cluster",
)  # fmt: skip


def open_store(
    where: str | Address, data_dir: Path | None = None, patience_s: float = LEAST_PATIENCE_S
) -> Store:
    """The store that a URL names, or the engine at an address.

    One of ``memory://``, ``file:///directory``, ``embedded://``, ``redis[s]://…``, ``unix://…``,
    ``redis[s]+sentinel://…``, ``redis[s]+cluster://…``.

    ``data_dir`` is where the embedded engine keeps its files; one that lives and
    does not answer is waited for, ``patience_s`` seconds. Engines are imported
    only when asked for.

    Raises:
        StoreError: the URL names no store, or the embedded one has no directory.
        StoreUnavailable: the embedded engine does not start, or the directory cannot be used.
    """
    if isinstance(where, Address):
        from statecore.store.redis import RedisStore

        return RedisStore(where)
    return _open_url(where, data_dir, patience_s)


def _open_url(url: str, data_dir: Path | None, patience_s: float) -> Store:
    scheme = url.partition(":")[0].lower() if ":" in url else ""
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
        return open_embedded(data_dir, patience_s)
    if scheme in SCHEMES:
        from statecore.store.redis import RedisStore

        return RedisStore(url)
    raise StoreError(f"{url!r} names no store; allowed are {', '.join(f'{s}://' for s in SCHEMES)}")
