"""What an exchange with a server is made of: packed commands, time limits, what goes wrong."""

from __future__ import annotations

from typing import Any, cast

import redis as driver
from hiredis import pack_command

from statecore.store.checks import encode
from statecore.store.errors import NotReplicated
from statecore.store.wire import Argument

ANSWER_TIMEOUT_S = 5.0
"""An engine that does not answer for so long counts as gone."""
HEIR_TIMEOUT_S = 3.0
"""The same where another takes its place: a primary that stands still is soon replaced."""
REPLICA_TIMEOUT_S = 2.0
"""A replica that does not have a commit after so long is not waited for any longer."""

OURS = (driver.RedisError, OSError)
TURNED_AWAY = (driver.BusyLoadingError, driver.AuthenticationError)
"""Answers that count as a broken connection to the driver, though nothing was done."""


class NotSent(Exception):
    """A command was not done, because its server could not be reached or was not ready."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason
        # raised again elsewhere, the reason would forget what it came of
        self.beneath = reason.__context__


def replicated(answer: Any, replicas: Any) -> Any:
    """The answer to a command that was followed by ``WAIT``, and the answer to that.

    Raises:
        NotReplicated: too few replicas have what the command wrote; with the answer.
    """
    if isinstance(answer, Exception):
        raise answer
    if not isinstance(replicas, int) or replicas < 1:
        raise NotReplicated(answer)
    return answer


def pack(arguments: list[Argument]) -> bytes:
    """A command as bytes to send.

    Raises:
        StoreError: a name holds half a character.
    """
    try:
        packed: bytes = pack_command(cast("Any", tuple(arguments)))
    except UnicodeEncodeError:
        names = (encode(each) if isinstance(each, str) else each for each in arguments)
        packed = pack_command(cast("Any", tuple(names)))
    return packed


def wait_for(replicas: int) -> bytes:
    """Asks how many replicas have what this connection wrote, as soon as so many have."""
    return pack(["WAIT", replicas, round(REPLICA_TIMEOUT_S * 1000)])


WAIT = wait_for(1)
