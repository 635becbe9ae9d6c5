"""Which server a request goes to, and what to do when that is not the right one; no I/O.

A route is a generator: it yields what to send where, and how long to rest, and
is given the answers. ``routed`` drives it, from threads and from event loops.
"""

from __future__ import annotations

import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import redis as driver

from statecore.store.addresses import Address, Node
from statecore.store.doors import NotPrimary, Role
from statecore.store.exchanges import NotSent, wait_for

REST_S = 0.05
"""How long to wait before somebody is asked again."""
LOST = (driver.ConnectionError, driver.TimeoutError, OSError)
"""Errors that leave open whether a command was done."""
LATER = (
    driver.ReadOnlyError,
    driver.exceptions.ClusterDownError,
    driver.exceptions.MasterDownError,
    driver.exceptions.TryAgainError,
)
"""Answers of a server that did nothing; another one does it, or the same a moment later."""
NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
"""What the greeting of a server sounds like that does not speak TLS."""
REFUSALS = (
    driver.AuthenticationError,
    driver.exceptions.AuthorizationError,
    driver.ResponseError,
)
"""Answers to a greeting that waiting does not mend."""


class Send(NamedTuple):
    """Have a server do some commands; the reply is all their answers, errors among them.

    :class:`exchanges.NotSent` is raised in the route when nothing was done, one of
    ``LOST`` when that is open.
    """

    node: Node
    packed: bytes
    answers: int = 1
    block_s: float = 0.0
    role: Role = "server"
    may_connect: bool = True
    """Whether to open a connection when none stands; else ``Unconfirmed`` is raised."""


class Rest(NamedTuple):
    """Wait."""

    seconds: float = REST_S


class Forget(NamedTuple):
    """Close the idle connections to a server, which is another now."""

    node: Node
    role: Role


Route = Generator[Send | Rest | Forget, Any, Any]


class Ask(NamedTuple):
    """Some commands that belong together, the first with keys."""

    packed: bytes
    answers: int = 1
    keys: Sequence[str] = ()
    block_s: float = 0.0
    repeats: bool = False
    """Whether they may be sent again when their answer is lost."""
    is_replicated: bool = False
    """Whether they count when the replicas have them; then ``WAIT`` follows, and the last
    answer says whether enough have."""


class Routes(ABC):
    """What is known of the servers of one engine; shared by threads and event loops."""

    def __init__(self, address: Address) -> None:
        self.address = address

    @abstractmethod
    def send(self, ask: Ask) -> Route:
        """One attempt, at the server that is believed to be the right one.

        Returns the answers. Raises :class:`Again` when nothing was done.
        """

    @abstractmethod
    def doubt(self) -> None:
        """What is known may be out of date: look again before the next request."""

    @abstractmethod
    def primaries(self) -> Route:
        """Where all primaries are now, as :class:`Node` each."""

    @property
    @abstractmethod
    def role(self) -> Role:
        """What the servers that do requests are to us."""

    def ask(self, ask: Ask) -> Route:
        """All answers to some commands, with attempts until the address's patience ends.

        A request that did nothing is sent again, and one that repeats also when its
        answer is lost. Of any other it stays open whether it was done.
        """
        stop = time.monotonic() + self.address.patience_s
        while True:
            try:
                return (yield from self.send(ask))
            except Hopeless as fault:
                raise fault.reason from fault.beneath
            except Again as fault:
                reason = fault.reason
            except LOST as fault:
                self.doubt()
                if not ask.repeats:
                    raise
                reason = fault
            if time.monotonic() >= stop:
                raise reason
            yield Rest()


def packed_for(ask: Ask, replicas: int) -> bytes:
    """What to send, with the question whether so many replicas have it."""
    return ask.packed + wait_for(replicas) if ask.is_replicated else ask.packed


class Hopeless(Exception):
    """Nothing was done, and waiting does not help, for this reason."""

    def __init__(self, reason: Exception, beneath: BaseException | None = None) -> None:
        super().__init__(str(reason))
        self.reason, self.beneath = reason, beneath


class Again(Exception):
    """Nothing was done; for this reason."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def is_hopeless(fault: NotSent) -> bool:
    """Whether waiting does not help: the server is there, and a setting is wrong."""
    reason, cause = fault.reason, fault.beneath
    if isinstance(cause, ssl.SSLError):
        is_verdict = isinstance(cause, ssl.SSLCertVerificationError)
        return is_verdict or cause.reason in NO_TLS
    return isinstance(reason, REFUSALS) and not isinstance(reason, NotPrimary)


def is_for_later(answer: Any) -> bool:
    """Whether a server has done nothing, because it is not, or not yet, the one to do it."""
    if isinstance(answer, LATER):
        return True
    # Redis before 7 wraps what a command in a script answered.
    return isinstance(answer, driver.ResponseError) and "-READONLY" in str(answer)
