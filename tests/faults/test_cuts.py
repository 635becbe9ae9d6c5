"""The cable between two processes does what the storms need of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.faults.cuts import cable


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of somebody who says everything back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_say_back, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _say_back(listener: socket.socket) -> None:
    while True:
        try:
            link, _ = listener.accept()
        except OSError:
            return
        with link:
            while data := link.recv(100):
                link.sendall(data)


def _call(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)


def test_what_is_said_over_a_silent_cut_arrives_when_it_is_mended(echo):
    with cable(echo) as line, _call(line.url) as link:
        link.sendall(b"one")
        assert link.recv(100) == b"one"
        line.cut(hard=False)
        link.sendall(b"two")
        link.settimeout(0.2)
        with pytest.raises(TimeoutError):
            link.recv(100)
        link.settimeout(10)
        line.mend()
        assert link.recv(100) == b"two"


def test_a_hard_cut_ends_what_is_open_and_lets_nobody_in_until_it_is_mended(echo):
    with cable(echo) as line:
        with _call(line.url) as link:
            link.sendall(b"one")
            assert link.recv(100) == b"one"
            line.cut(hard=True)
            assert _hears_nothing(link)
        assert _is_not_let_in(line.url)
        line.mend()
        with _call(line.url) as link:
            link.sendall(b"three")
            assert link.recv(100) == b"three"


def _hears_nothing(link: socket.socket) -> bool:
    try:
        return link.recv(100) == b""
    except ConnectionResetError:
        return True


def _is_not_let_in(url: str) -> bool:
    try:
        with _call(url) as link:
            return _hears_nothing(link)
    except OSError:  # it was reset before it was open
        return True
