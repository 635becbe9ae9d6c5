"""Holding something for as long as a block lasts: taken, kept alive, given back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from orchard_client.call import Call
from orchard_client.calls import issues, processes
from orchard_client.errors import Conflict, LeaseLost, NotFound, Refused, Unreachable
from orchard_client.models.issues import Issue, IssueBeat, Lock
from orchard_client.steps import Rest, Steps, ask


class Held:
    """Something that is held, as long as nobody has taken it."""

    token: int
    """Fencing token: goes with every report."""

    def __init__(self, name: str, token: int, ttl_s: float) -> None:
        self.name = name
        self.token = token
        self.ttl_s = ttl_s
        self._until = time.monotonic() + ttl_s
        self._taken = False

    @property
    def lost(self) -> bool:
        """Whether it may be somebody else's by now."""
        return self._taken or time.monotonic() > self._until

    def require(self) -> None:
        """Go on only while it is held; to be asked before whatever cannot be undone.

        Raises:
            LeaseLost: it may be somebody else's by now.
        """
        if self.lost:
            raise LeaseLost(f"{self.name} is held no longer")

    def renewed(self, since: float) -> None:
        """Note that its lease counts anew from a moment of the monotonic clock."""
        self._until = since + self.ttl_s

    def taken(self) -> None:
        """Note that it is somebody else's, or nobody's."""
        self._taken = True


class HeldIssue(Held):
    """An issue that is checked out; ``status`` and ``result`` are what it is checked in with."""

    def __init__(self, issue: Issue) -> None:
        ttl_s = 60.0
        if issue.lease_until and issue.last_heartbeat:
            ttl_s = (issue.lease_until - issue.last_heartbeat).total_seconds()
        super().__init__(f"issue {issue.issue}", issue.token or 0, ttl_s)
        self.issue = issue
        self.status = "completed"
        self.result: Any = None


class HeldLock(Held):
    """A lock that is held."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(f"lock {lock.name}", lock.token, lock.ttl_s)
        self.lock = lock


H = TypeVar("H", bound=Held)


class Lease(Protocol[H]):
    """How something is taken, kept and given back."""

    def take(self) -> Steps[H]:
        """Take it."""

    def renew(self, held: H) -> Call[Any]:
        """Say that it is still wanted."""

    def give_back(self, held: H, fault: BaseException | None) -> Steps[None]:
        """Give it back, for whatever reason."""


class IssueLease:
    """An issue: checked out, and checked in with what came of it."""

    def __init__(self, number: int, process_id: str, **options: Any) -> None:
        self._number = number
        self._process_id = process_id
        self._options = options

    def take(self) -> Steps[HeldIssue]:
        """Check it out."""
        call = issues.check_out_issue(self._number, self._process_id, **self._options)
        return HeldIssue((yield from ask(call)))

    def renew(self, held: HeldIssue) -> Call[IssueBeat]:
        """A sign of life."""
        return issues.send_issue_heartbeat(
            self._number, process_id=self._process_id, token=held.token
        )

    def give_back(self, held: HeldIssue, fault: BaseException | None) -> Steps[None]:
        """Check it in: as a failure, if there was one."""
        status, result = held.status, held.result
        if fault is not None:
            status, result = "error", {"error": f"{type(fault).__name__}: {fault}"}
        call = issues.check_in_issue(
            self._number, status=status, result=result, process_id=self._process_id,
            token=held.token,
        )  # fmt: skip
        yield from ask(call)


class LockLease:
    """A lock."""

    def __init__(self, name: str, owner: str, ttl_s: float | None, wait_s: float) -> None:
        self._name = name
        self._owner = owner
        self._ttl_s = ttl_s
        self._wait_s = wait_s

    def take(self) -> Steps[HeldLock]:
        """Take it as soon as it is free."""
        call = processes.acquire_lock(
            self._name, self._owner, ttl_s=self._ttl_s, wait_s=self._wait_s
        )
        return HeldLock((yield from ask(call)))

    def renew(self, held: HeldLock) -> Call[Lock]:
        """Let it last from now."""
        return processes.renew_lock(
            self._name, self._owner, token=held.token, ttl_s=self._ttl_s
        )  # fmt: skip

    def give_back(self, held: HeldLock, fault: BaseException | None) -> Steps[None]:
        """Give it back."""
        yield from ask(processes.release_lock(self._name, owner=self._owner, token=held.token))


class Keeping(Generic[H]):
    """Keeps what is held alive, three times a lease."""

    def __init__(self, lease: Lease[H], held: H, on_lost: Callable[[], None] | None = None) -> None:
        self._lease = lease
        self._held = held
        self._on_lost = on_lost

    def steps(self) -> Steps[None]:
        """Signs of life, until it is lost."""
        while not self._held.lost:
            yield Rest(self._held.ttl_s / 3)
            yield from self._beat()
        if self._on_lost:
            self._on_lost()

    def _beat(self) -> Steps[None]:
        since = time.monotonic()
        try:
            answer = yield from ask(_soon(self._lease.renew(self._held), self._held.ttl_s / 3))
        except (NotFound, Conflict):
            self._held.taken()
        except (Refused, Unreachable):
            return  # the lease may last longer than whatever this is
        else:
            if getattr(answer, "alive", True):
                self._held.renewed(since)
            else:
                self._held.taken()


def _soon(call: Call[Any], patience_s: float) -> Call[Any]:
    return replace(call, patience_s=patience_s)
