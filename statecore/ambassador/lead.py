"""Being the active one: the lease that says so, kept alive and handed over."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import TypeVar

from statecore.ambassador.once import under
from statecore.services import keeper
from statecore.store.base import Store
from statecore.store.errors import StoreError
from statecore.store.ops import Write
from statecore.store.steps import Seen, Steps

T = TypeVar("T")

log = logging.getLogger("statecore.ambassador")

TTL_S = 8.0
"""How long the lease outlives an ambassador that was killed, in seconds."""
RENEW_S = 2.0
LOOK_S = 0.4
"""How often a standby looks whether it may take over, in seconds."""


def new_owner() -> str:
    """A name for this process that no other has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Lead:
    """The lease of one ambassador, on one event loop."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store = store
        self.owner = owner
        self._held: bytes | None = None
        self._until = 0.0
        self._looking = asyncio.Lock()
        self.begun = asyncio.Event()
        """Set while this one is active."""
        self.on_turn: Callable[[], None] = lambda: None
        """Called when it has become active, and when it is not any more."""

    @property
    def is_active(self) -> bool:
        """Whether nobody else can be active right now."""
        return self._held is not None and time.monotonic() < self._until

    def only_while_active(
        self, steps: Steps[T], conditions: Seen | None = None, also: tuple[Write, ...] = ()
    ) -> Steps[T]:
        """Steps that write nothing any more when another one has taken over.

        Raises:
            ConditionFailed: one has, or one of the conditions given is not met.
        """
        mine = keeper.only_while(self._held) if self._held else {}
        return under(steps, {**mine, **(conditions or {})}, also)

    async def keep(self) -> None:
        """Get the lease when it is free, and keep it for as long as this is not cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(RENEW_S if self.is_active else LOOK_S)

    async def look(self) -> None:
        """Renew the lease, or get it when it is free, or find out that it is lost."""
        async with self._looking:
            was_active = self.is_active
            try:
                await self._look()
            except StoreError as fault:
                log.warning("the lease cannot be looked at: %s", fault)
            except Exception:
                log.exception("looking after the lease went wrong")
            self._tell(was_active)

    async def hand_over(self) -> None:
        """Be active no more; the next one may begin at once."""
        async with self._looking:
            held, self._held = self._held, None
            self._tell(held is not None)
            if held is None:
                return
            try:
                await self._store.arun(keeper.give_back(held))
            except StoreError as fault:
                log.warning("the lease ends by itself: %s", fault)

    async def _look(self) -> None:
        begun, ttl_ms = time.monotonic(), round(TTL_S * 1000)
        if self._held and not await self._store.arun(keeper.renew(self._held, ttl_ms)):
            self._held = None
        if not self._held:
            self._held = await self._store.arun(keeper.take_over(self.owner, ttl_ms))
        if self._held:
            self._until = begun + TTL_S

    def _tell(self, was_active: bool) -> None:
        is_active = self.is_active
        if is_active == was_active == self.begun.is_set():
            return
        if is_active:
            log.info("ambassador %s is active", self.owner)
            self.begun.set()
        elif self.begun.is_set():
            log.info("ambassador %s is not active any more", self.owner)
            self.begun.clear()
        self.on_turn()
