"""The embedded store: the redis store with an engine that we start and look after ourselves."""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from statecore.store.engine import Engine
from statecore.store.patience import LEAST_PATIENCE_S
from statecore.store.redis import RedisStore
from statecore.store.supervisor import Supervisor


class EmbeddedStore(RedisStore):
    """The engine in ``<data_dir>/engine``, shared by all processes that open it."""

    name = "embedded"

    def __init__(self, data_dir: Path, patience_s: float = LEAST_PATIENCE_S) -> None:
        self.supervisor = Supervisor(engine_directory(data_dir), patience_s)
        self.supervisor.open()
        super().__init__(engine_url(data_dir))
        atexit.register(self.close)
        _leave_cleanly_on_sigterm()

    def close(self) -> None:
        """Close the connections; the last process to do so stops the engine."""
        super().close()
        self.supervisor.close()
        atexit.unregister(self.close)


def open_embedded(data_dir: Path, patience_s: float = LEAST_PATIENCE_S) -> EmbeddedStore:
    """The store in a data directory; its engine is started when no process has yet.

    One that lives and does not answer is waited for, so many seconds.

    Raises:
        StoreUnavailable: the engine does not start, with the last lines of its log; or it
            does not answer.
    """
    return EmbeddedStore(data_dir, patience_s)


def engine_directory(data_dir: Path) -> Path:
    """Where the engine of a data directory keeps its files."""
    return data_dir / "engine"


def engine_url(data_dir: Path, database: int = 0) -> str:
    """How any client reaches the engine of a data directory: a ``unix://`` URL."""
    path = Engine(engine_directory(data_dir)).socket_path
    return f"unix://{quote(str(path))}?db={database}"


def _leave_cleanly_on_sigterm() -> None:
    """Let ``SIGTERM`` run the exit handlers, unless the program has its own idea of it."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
