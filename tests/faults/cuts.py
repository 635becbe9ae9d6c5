"""A TCP proxy of ours that stands between two processes, and can be cut like a cable."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Cable:
    """Forwards connections to a port; while it is cut nothing passes, in either direction.

    A silent cut holds what was sent until the cable is mended, as a router that
    has lost its way; a hard one resets what is open and refuses what is new.
    """

    def __init__(self, to_port: int) -> None:
        self._to = ("127.0.0.1", to_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._whole = threading.Event()
        self._whole.set()
        self._is_hard = False
        self._links: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._carriers: list[threading.Thread] = []
        self._door = threading.Thread(target=self._accept, daemon=True)
        self._door.start()

    def cut(self, *, hard: bool) -> None:
        """Let nothing pass from now on."""
        self._is_hard = hard
        self._whole.clear()
        if hard:
            self._reset_all()

    def mend(self) -> None:
        """Let everything pass again, and first what was held back."""
        self._is_hard = False
        self._whole.set()

    def close(self) -> None:
        """End, and wait for whoever is still at it."""
        self._is_hard = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._reset_all()
        self._whole.set()
        for thread in [self._door, *self._carriers]:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            carrier = threading.Thread(target=self._connect, args=(near,), daemon=True)
            self._carriers.append(carrier)
            carrier.start()

    def _connect(self, near: socket.socket) -> None:
        with near:
            if not self._is_hard:
                self._whole.wait()
            try:
                far = self._reach()
            except OSError:
                _reset(near)
                return
            with far:
                self._carry(near, far)

    def _reach(self) -> socket.socket:
        if self._is_hard:
            raise ConnectionRefusedError
        far = socket.create_connection(self._to, timeout=10)
        far.settimeout(None)
        return far

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        """Pass on in both directions until one side has gone."""
        with self._lock:
            self._links |= {near, far}
        back = threading.Thread(target=self._pass_on, args=(far, near), daemon=True)
        back.start()
        self._pass_on(near, far)
        back.join()
        with self._lock:
            self._links -= {near, far}

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._whole.wait()
                sink.sendall(data)
        for link in (source, sink):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _reset_all(self) -> None:
        with self._lock:
            for link in self._links:
                _reset(link)


def _reset(link: socket.socket) -> None:
    """Let the other side see a reset; whoever reads from it here closes it."""
    with suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.shutdown(socket.SHUT_RDWR)


@contextmanager
def cable(to_port: int) -> Iterator[Cable]:
    """A cable that is whole."""
    one = Cable(to_port)
    try:
        yield one
    finally:
        one.close()
