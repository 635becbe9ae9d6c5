"""``manage.py up``: everything on this machine, with one command; what ``make run`` calls."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchard import first_start, sign_in
from orchard.conf import get_conf
from orchard.conf_running import split_names
from orchard.hosts import own_address
from orchard.management.opening import open_engine
from orchard.private_files import make_private_directory
from orchard.processes import Child, stop_all
from orchard.services import EngineAway, get_engine
from orchard.stopping import StopEvent
from orchard.witness import note_command
from statecore.domain.errors import StateError
from statecore.services import migrations

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
READY_S = 120.0
"""How long a slow board may take until the site answers."""
STOP_S = 15.0
"""How long processes may take to stop."""
BACKGROUND = {"DJANGO_SETTINGS_MODULE": "orchard.background_settings"}
GRACE_S = 5
"""How long a local agent goes on with its chunk then, before it hands it back; in seconds."""


class Command(BaseCommand):
    """Start engine, web, pipeline, ambassador, dispatcher and agents, and keep them running."""

    help = (
        "Start engine, web server, pipeline, ambassador, dispatcher and agents, and keep them"
        " running."
    )
    # The others load all URLs and admin pages; the web server does them as it starts.
    requires_system_checks = [Tags.security]

    def add_arguments(self, parser: CommandParser) -> None:
        """How many agents to start."""
        parser.add_argument(
            "--agents", type=int, default=get_conf().agents,
            help="local agents (default: ORCHARD_AGENTS)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or Ctrl-C; a second one ends everything at once."""
        conf = get_conf()
        if conf.store.startswith("memory:"):
            raise CommandError("memory:// is the store of one process; choose another")
        for signum in STOPS:
            signal.signal(signum, lambda *_: sys.exit(0))
        _check_port(conf.host, conf.port)
        data_dir = conf.data_dir.absolute()
        with _alone(data_dir):
            admin = first_start.prepare(data_dir)
            open_engine(upgrades=True)
            store = get_engine()
            stopping, at_once = _listen_for_signals()
            web, *others = children = _children(data_dir, options["agents"])
            try:
                self._take_over_old_files(store)
                web.start()  # alone: the others would take the processors that it starts on
                if self._await_ready([web], stopping):
                    for child in others:
                        child.start()
                    self._welcome(admin)
                while not stopping.wait(0.5):
                    self._watch(children)
            finally:
                # What the others have at hand they still report; the engine goes last.
                stop_all(others, STOP_S, at_once)
                stop_all([web], STOP_S, at_once)
                store.close()

    def _take_over_old_files(self, store: Any) -> None:
        """Move the state files of an older system into the engine, at the first start."""
        state_dir = settings.STATECORE["STATE_DIR"]
        try:
            report = migrations.migrate_at_first_start(store, state_dir)
        except EngineAway:
            return  # the processes wait for it; the files are taken over at the next start
        except (OSError, StateError) as fault:
            raise CommandError(f"{state_dir}: cannot be taken over: {fault}") from None
        if report:
            left = "".join(f"; {one.file}: {one.why}" for one in report.left)
            self.stderr.write(f"State files of {state_dir}: {report.outcome}{left}")

    def _welcome(self, admin: User) -> None:
        """Two lines that scripts and people wait for."""
        base, link = own_address(), sign_in.create_link(admin)
        note_command("user.link", admin.username)
        self.stdout.write(f"Orchard is ready at {base}/")
        self.stdout.write(f"Sign in once with {base}{link}")
        self.stdout.flush()

    def _await_ready(self, children: list[Child], stopping: StopEvent) -> bool:
        url = f"{own_address()}/readyz"
        deadline = time.monotonic() + READY_S
        while not _is_ready(url):
            if stopping.wait(0.05):
                return False
            self._watch(children)
            if time.monotonic() > deadline:
                logs = get_conf().data_dir / "logs"
                raise CommandError(f"not ready after {READY_S:g} s; the reason is in {logs}")
        return True

    def _watch(self, children: list[Child]) -> None:
        for child in children:
            if news := child.keep_running():
                self.stderr.write(news)


def _listen_for_signals() -> tuple[StopEvent, StopEvent]:
    """What is set by the first and by the second signal to stop."""
    stopping, at_once = StopEvent(), StopEvent()

    def stop(*_: Any) -> None:
        (at_once if stopping.is_set() else stopping).set()

    for signum in STOPS:
        signal.signal(signum, stop)
    return stopping, at_once


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Refuse to run twice on the same data: two sets of agents would have the same names."""
    make_private_directory(data_dir)
    with (data_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(f"Orchard runs already on {data_dir}") from None
        yield


def _children(data_dir: Path, agents: int) -> list[Child]:
    """The web server, then whoever talks to it, as far as this machine is to have it."""
    logs = data_dir / "logs"
    logs.mkdir(exist_ok=True)
    python = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    env = {"ORCHARD_DATA": str(data_dir), "PYTHONUNBUFFERED": "1"}
    children = [Child("web", [*python, "serve"], logs, env)]
    without, grace = split_names(get_conf().without), ("--grace", str(GRACE_S))
    for name, *options in (("pipeline",), ("ambassador",), ("dispatch", *grace)):
        if name not in without:
            children.append(Child(name, [*python, name, *options], logs, env | BACKGROUND))
    command = [sys.executable, "-m", "orchard.agent", *grace, "--late", "--slot"]
    agent_env = env | _env_of_agents(data_dir, agents)
    for slot in range(1, agents + 1):
        children.append(Child(f"agent-{slot}", [*command, str(slot)], logs, agent_env))
    return children


def _env_of_agents(data_dir: Path, agents: int) -> dict[str, str]:
    return {
        "PYTHONPATH": str(settings.BASE_DIR),
        "ORCHARD_MASTER": own_address(),
        "ORCHARD_TOKEN_FILE": str(data_dir / "worker_token"),
        "ORCHARD_TRACES": get_conf().traces,
        # The agents share the machine with everything else.
        "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // max(1, agents))),
    }


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


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
