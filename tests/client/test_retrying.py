"""When to try again: the decisions, without a server or a sleep."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import trustme

from orchard_client import Client, Throttled, Unavailable, Unreachable
from orchard_client.call import Answer, Call, text
from orchard_client.retrying import Attempts, retry_after_s


def attempts(*, repeatable: bool, patience_s: float = 60.0) -> Attempts:
    call = Call(method="POST", path="/x", read=text, repeatable=repeatable)
    return Attempts(call, patience_s, clock=lambda: 0.0)


def away(status: int = 503, **headers: str) -> Answer:
    return Answer(status, headers, b'{"error": "away", "code": "engine_away"}')


def test_rests_grow_and_the_server_may_ask_for_longer_ones():
    tries = attempts(repeatable=True)
    rests = [tries.after_answer(away()) for _ in range(5)]
    assert all(0.125 * 2**i <= rest <= 0.25 * 2**i for i, rest in enumerate(rests))
    assert attempts(repeatable=True).after_answer(away(**{"retry-after": "7"})) == 7.0


def test_nobody_waits_for_longer_than_the_patience():
    with pytest.raises(Unavailable) as told:
        attempts(repeatable=True, patience_s=5).after_answer(away(**{"retry-after": "7"}))
    assert told.value.retry_after_s == 7.0


def test_what_may_not_be_repeated_is_tried_again_only_when_it_did_not_arrive():
    tries = attempts(repeatable=False)
    assert tries.after_answer(away(429)) is not None
    assert tries.after_fault(httpx.ConnectError("refused"), "http://x") > 0
    with pytest.raises(Unavailable):
        tries.after_answer(away())
    with pytest.raises(Unreachable):
        tries.after_fault(httpx.ReadError("cut off"), "http://x")
    assert attempts(repeatable=True).after_fault(httpx.ReadError("cut off"), "http://x") > 0


def test_whoever_asks_too_often_is_told_so_in_the_end():
    with pytest.raises(Throttled):
        attempts(repeatable=True, patience_s=0).after_answer(away(429))


def test_a_wrong_certificate_is_said_at_once():
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=shake_hands, args=(listening, context))
        server.start()
        port, begun = listening.getsockname()[1], time.monotonic()
        with (
            Client(f"https://localhost:{port}", "x", patience_s=60) as client,
            pytest.raises(Unreachable, match="certificate verify failed"),
        ):
            client.workers.list()
        server.join()
    assert time.monotonic() - begun < 30


def shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    """Let one client look at the certificate."""
    connection, _ = listening.accept()
    with connection, contextlib.suppress(OSError):
        context.wrap_socket(connection, server_side=True).close()


def test_a_moment_is_understood_as_well_as_a_number_of_seconds():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < (retry_after_s({"retry-after": soon}) or 0) <= 30
    assert retry_after_s({"retry-after": "soon"}) is None
    assert retry_after_s({}) is None
