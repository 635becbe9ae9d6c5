"""A network as phones have it: connections break in the middle of what is sent."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class BadLine:
    """A door to a server of this machine that breaks the first connections after some bytes."""

    def __init__(self, port: int, *, breaks: int, after_bytes: int) -> None:
        self._to, self._breaks, self._after = port, breaks, after_bytes
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.broken = 0

    def __enter__(self) -> BadLine:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._door.accept()
                threading.Thread(target=self._pass, args=(here,), daemon=True).start()

    def _pass(self, here: socket.socket) -> None:
        with here, socket.create_connection(("127.0.0.1", self._to)) as there, suppress(OSError):
            threading.Thread(target=_copy, args=(there, here), daemon=True).start()
            passed = 0
            while block := here.recv(65_536):
                there.sendall(block)
                passed += len(block)
                if passed > self._after and self.broken < self._breaks:
                    self.broken += 1
                    return


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65_536):
            target.sendall(block)
        target.shutdown(socket.SHUT_RDWR)
