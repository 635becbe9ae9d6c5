"""What one process at a time may do: others wait, and the turn of a dead one ends at once."""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from statecore.domain.errors import StateError
from statecore.domain.locks import Lock
from statecore.services import locks
from statecore.services.orphans import is_alive
from statecore.store.base import Store
from statecore.store.errors import StoreError
from statecore.store.steps import Steps

TTL_MS = 30_000
"""How long a turn lasts when nothing is heard of its process."""
PATIENCE_S = 60.0
"""How long others wait."""

_OWNER = re.compile(r"(\d+)@(.*)#[0-9a-f]+", re.DOTALL)


@contextmanager
def one_at_a_time(
    store: Store, name: str, *, timeout_s: float = PATIENCE_S
) -> Iterator[Callable[[], None]]:
    """Hold a lock as long as this lasts; call what is given now and then, to keep it.

    Raises:
        LockTimeout: another process holds it, and goes on; names it.
        HeldByAnother: (what is given) the lock was lost to another process.
    """
    host = re.sub(r"[:/\\{}\x00-\x1f]", "-", socket.gethostname())[:100]
    owner = f"{os.getpid()}@{host}#{secrets.token_hex(4)}"
    store.run(_end_of_the_dead(name, host))
    store.run(locks.wait_for(name, owner, TTL_MS, timeout_s=timeout_s))

    kept_at = time.monotonic()

    def keep() -> None:
        nonlocal kept_at
        if time.monotonic() - kept_at > TTL_MS / 4000:
            store.run(locks.acquire(name, owner, TTL_MS))
            kept_at = time.monotonic()

    try:
        yield keep
    finally:
        with suppress(StateError, StoreError):  # it was over already, or ends by itself
            store.run(locks.release(name, owner))


def _end_of_the_dead(name: str, host: str) -> Steps[None]:
    try:
        lock = yield from locks.get(name)
        if _is_dead(lock, host):
            yield from locks.release(name, lock.owner, lock.token)
    except StateError:
        return  # nobody holds it, or somebody else by now


def _is_dead(lock: Lock, host: str) -> bool:
    owner = _OWNER.fullmatch(lock.owner)
    return owner is not None and owner[2] == host and not is_alive(int(owner[1]))
