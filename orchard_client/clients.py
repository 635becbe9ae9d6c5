"""The two clients: the same operations, waited for or awaited."""

from __future__ import annotations

import os
import ssl
from typing import Any, Generic, Self

from orchard_client import groups
from orchard_client.awaiting import Awaiting
from orchard_client.blocking import Blocking
from orchard_client.driving import TIMEOUT_S
from orchard_client.holding import AsyncHolding, Holding, Told
from orchard_client.leases import HeldIssue, HeldLock, IssueLease, LockLease
from orchard_client.operations import D
from orchard_client.retrying import PATIENCE_S
from orchard_client.settings import Server, find_server


class _Client(Generic[D]):
    """What both clients can do."""

    def __init__(self, driver: D) -> None:
        self._driver: D = driver
        self.jobs: groups.Jobs[D] = groups.Jobs(driver)
        self.uploads: groups.Uploads[D] = groups.Uploads(driver)
        self.workers: groups.Workers[D] = groups.Workers(driver)
        self.issues: groups.Issues[D] = groups.Issues(driver)
        self.processes: groups.Processes[D] = groups.Processes(driver)
        self.locks: groups.Locks[D] = groups.Locks(driver)
        self.labels: groups.Labels[D] = groups.Labels(driver)
        self.state: groups.State[D] = groups.State(driver)
        self.logs: groups.Logs[D] = groups.Logs(driver)
        self.events: groups.Events[D] = groups.Events(driver)
        self.schedules: groups.Schedules[D] = groups.Schedules(driver)
        self.webhooks: groups.Webhooks[D] = groups.Webhooks(driver)
        self.site: groups.Site[D] = groups.Site(driver)

    @property
    def server(self) -> Server:
        """Where the server is, and how that was found out."""
        return self._driver.server


class Client(_Client[Blocking]):
    """A client that waits for its answers; safe to be used by several threads.

    Args:
        url: Where the server is; found out by :func:`orchard_client.find_server` unless given.
        token: What it is shown; found out, too, unless given.
        token_file: A file that holds the token.
        patience_s: How long to go on trying while the server is away, in seconds.
        timeout_s: How long to wait for one answer, in seconds.
        verify: How certificates are checked, as HTTPX takes it.

    Raises:
        ConfigurationError: nothing sensible was found.
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *,
        token_file: str | os.PathLike[str] | None = None, patience_s: float = PATIENCE_S,
        timeout_s: float = TIMEOUT_S, verify: ssl.SSLContext | bool = True,
    ) -> None:  # fmt: skip
        server = find_server(url, token, token_file)
        super().__init__(Blocking(server, patience_s, timeout_s, verify))

    def hold_issue(
        self, number: int, process_id: str, *, on_lost: Told = None, **options: Any
    ) -> Holding[HeldIssue]:
        """Check an issue out for a ``with`` block; options are those of ``issues.check_out``.

        It is kept alive meanwhile, and checked in afterwards with the ``status`` and
        ``result`` that the block has set; as an error, if the block raises one.
        """
        return Holding(self._driver, IssueLease(number, process_id, **options), on_lost)

    def hold_lock(
        self, name: str, owner: str, *, ttl_s: float | None = None, wait_s: float = 0,
        on_lost: Told = None,
    ) -> Holding[HeldLock]:  # fmt: skip
        """Hold a lock for a ``with`` block."""
        return Holding(self._driver, LockLease(name, owner, ttl_s, wait_s), on_lost)

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def __enter__(self) -> Self:
        """The client."""
        return self

    def __exit__(self, *fault: object) -> None:
        """Close the connections."""
        self.close()


class AsyncClient(_Client[Awaiting]):
    """A client for an event loop; arguments and operations are those of :class:`Client`."""

    def __init__(
        self, url: str | None = None, token: str | None = None, *,
        token_file: str | os.PathLike[str] | None = None, patience_s: float = PATIENCE_S,
        timeout_s: float = TIMEOUT_S, verify: ssl.SSLContext | bool = True,
    ) -> None:  # fmt: skip
        server = find_server(url, token, token_file)
        super().__init__(Awaiting(server, patience_s, timeout_s, verify))

    def hold_issue(
        self, number: int, process_id: str, *, on_lost: Told = None, **options: Any
    ) -> AsyncHolding[HeldIssue]:
        """Check an issue out for an ``async with`` block; see :meth:`Client.hold_issue`."""
        return AsyncHolding(self._driver, IssueLease(number, process_id, **options), on_lost)

    def hold_lock(
        self, name: str, owner: str, *, ttl_s: float | None = None, wait_s: float = 0,
        on_lost: Told = None,
    ) -> AsyncHolding[HeldLock]:  # fmt: skip
        """Hold a lock for an ``async with`` block."""
        return AsyncHolding(self._driver, LockLease(name, owner, ttl_s, wait_s), on_lost)

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        """The client."""
        return self

    async def __aexit__(self, *fault: object) -> None:
        """Close the connections."""
        await self.close()
