"""The file store: the JSON files of existing state directories, and a journal for all the rest.

It is for one machine: processes that open the same directory take turns, and
each sees at once what another has written.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from statecore.store import ops
from statecore.store.clock import Clock
from statecore.store.errors import StoreError
from statecore.store.facts import Facts
from statecore.store.file_damage import Damage
from statecore.store.file_directory import StateDirectory
from statecore.store.file_disk import disk_errors
from statecore.store.file_formats import compact, file_name
from statecore.store.file_lines import check_names
from statecore.store.memory import MemoryStore, wait_for_event

POLL_S = 0.05
"""How often a tail that waits looks whether another process has written."""

T = TypeVar("T")


class FileStore(MemoryStore):
    """A state directory, where ``poppo:state:{namespace}`` is ``unified-{namespace}.json``.

    The values of a namespace are JSON, and come back without white space.
    """

    name = "file"

    def __init__(self, directory: Path | str, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.directory = Path(directory)
        self._disk = StateDirectory(self.directory)
        with self._opened():
            pass

    @property
    def damaged(self) -> list[Damage]:
        """The files that made no sense and were set aside since this store was opened."""
        return self._disk.infirmary.found

    def describe(self, *streams: str) -> Facts:
        """How many keys there are, and how much of the disk they take."""
        with disk_errors():
            files = [one for one in self.directory.iterdir() if one.is_file()]
            taken = sum(one.stat().st_size for one in files)
            free = shutil.disk_usage(self.directory).free
        return super().describe(*streams) | {"disk_bytes": taken, "disk_free_bytes": free}

    def flush(self) -> None:
        """Forget everything, as deleting all files of the state does."""
        with self._opened():
            keys = tuple(self._keys.names())
            self._disk.write(lambda: self._keys.apply(ops.Delete(keys)))

    def close(self) -> None:
        """Let blocked tails end and leave a snapshot; whatever is asked afterwards is refused."""
        super().close()
        with self._lock:
            self._disk.close()

    @contextmanager
    def _opened(self) -> Iterator[None]:
        with self._lock:
            if self._closed:  # a tail that was let go looks once more, and finds what it knows
                yield
                return
            with disk_errors(), self._disk.opened(self.clock.now_ms()) as keys:
                self._keys = keys
                yield

    def _reply(self, request: ops.Request) -> Any:
        match request:
            case ops.Commit(expected, writes):
                request = ops.Commit(expected, tuple(map(_fitted, writes)))
            case ops.Take(queue, leases):
                _refuse_namespaces(queue, leases)
            case _:
                return super()._reply(request)
        reply = super()._reply
        return self._disk.write(lambda: reply(request))

    # -- waiting ------------------------------------------------------------------

    def _wait(self, wake: threading.Event, left_s: float) -> None:
        stop = time.monotonic() + left_s
        while not (wake.is_set() or self._disk.has_news()):
            left_s = stop - time.monotonic()
            if left_s <= 0 or wake.wait(min(left_s, POLL_S)):
                return

    async def _await(self, wake: asyncio.Event, left_s: float) -> None:
        stop = time.monotonic() + left_s
        while not (wake.is_set() or self._disk.has_news()):
            left_s = stop - time.monotonic()
            if left_s <= 0:
                return
            await wait_for_event(wake, min(left_s, POLL_S))

    async def _aside(self, do: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.to_thread(do, *arguments)


def open_file(url: str) -> FileStore:
    """The store in the directory that a URL ``file:///absolute/path`` names.

    Raises:
        StoreError: the URL names no directory.
        StoreUnavailable: the directory cannot be used.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    is_plain = parts.netloc in ("", "localhost") and not (parts.query or parts.fragment)
    if not (is_plain and path.strip("/") and "\0" not in path):
        raise StoreError(f"{url!r} names no directory; it looks like file:///absolute/path")
    return FileStore(Path(path))


def _fitted(write: ops.Write) -> ops.Write:
    """A write as the files can hold it.

    Raises:
        StoreError: they cannot; nothing has been written then.
    """
    check_names(write)
    match write:
        case ops.HashSet(key, fields) if file_name(key):
            return ops.HashSet(key, {name: compact(value) for name, value in fields.items()})
        case ops.Delete() | ops.HashSet() | ops.HashDelete() | ops.Expire():
            return write
    _refuse_namespaces(write.key)
    return write


def _refuse_namespaces(*keys: str) -> None:
    for key in keys:
        if file_name(key):
            raise StoreError(f"{key} is a namespace: a hash of JSON values and nothing else")
