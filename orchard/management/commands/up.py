"""``manage.py up``: everything on this machine, with one command; what ``make run`` calls."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchard import first_start, sign_in
from orchard.conf import get_conf
from orchard.processes import Child, stop_all
from orchard.services import EngineAway, get_engine

READY_S = 60.0


class Command(BaseCommand):
    """Start engine, web, pipeline and local agents, and keep them running."""

    help = "Start engine, web server, pipeline and local agents, and keep them running."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many agents to start."""
        parser.add_argument("--agents", type=int, default=2, help="local agents (default: 2)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or Ctrl-C; then stop the processes first and the engine last."""
        stopping = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stopping.set())
        conf = get_conf()
        _check_port(conf.host, conf.port)
        data_dir = conf.data_dir.absolute()
        admin = first_start.prepare(data_dir)
        try:
            store = get_engine()
        except EngineAway as away:
            raise CommandError(f"the state engine does not start: {away}") from None
        children = _children(data_dir, options["agents"])
        try:
            for child in children:
                child.start()
            if self._await_ready(children, stopping):
                base = f"http://{_shown_host(conf.host)}:{conf.port}"
                self.stdout.write(f"Orchard is ready at {base}/")
                self.stdout.write(f"Sign in once with {base}{sign_in.create_link(admin)}")
                self.stdout.flush()
            while not stopping.wait(0.5):
                self._watch(children)
        finally:
            stop_all(children)
            store.close()

    def _await_ready(self, children: list[Child], stopping: threading.Event) -> bool:
        conf = get_conf()
        url = f"http://{_shown_host(conf.host)}:{conf.port}/readyz"
        deadline = time.monotonic() + READY_S
        while not _is_ready(url):
            if stopping.wait(0.05):
                return False
            self._watch(children)
            if time.monotonic() > deadline:
                logs = conf.data_dir / "logs"
                raise CommandError(f"not ready after {READY_S:g} s; the reason is in {logs}")
        return True

    def _watch(self, children: list[Child]) -> None:
        for child in children:
            if news := child.keep_running():
                self.stderr.write(news)


def _children(data_dir: Path, agents: int) -> list[Child]:
    conf = get_conf()
    logs = data_dir / "logs"
    logs.mkdir(exist_ok=True)
    python = [sys.executable, str(Path(sys.argv[0]).absolute())]
    env = {"ORCHARD_DATA": str(data_dir), "PYTHONUNBUFFERED": "1"}
    agent_env = env | {
        "ORCHARD_MASTER": f"http://{_shown_host(conf.host)}:{conf.port}",
        "ORCHARD_TOKEN_FILE": str(data_dir / "worker_token"),
        # Two agents share the machine with everything else.
        "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // max(1, agents))),
    }
    children = [
        Child("web", [*python, "serve"], logs, env),
        Child("pipeline", [*python, "pipeline"], logs, env),
    ]
    for slot in range(1, agents + 1):
        command = [sys.executable, "-m", "orchard.agent", "--slot", str(slot)]
        children.append(Child(f"agent-{slot}", command, logs, agent_env))
    return children


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            reason = fault.strerror or str(fault)
            raise CommandError(
                f"port {port} on {host} cannot be used: {reason}; choose another with PORT=…"
            ) from None


def _shown_host(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
