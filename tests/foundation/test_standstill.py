"""Processes that start while the embedded engine stands still: they wait, with a word, or end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from statecore.store.embedded import open_embedded
from tests.foundation.launcher import ROOT, free_port, wait_until

Start = Callable[..., subprocess.Popen[bytes]]
PROGRAMS = ("serve", "pipeline", "dispatch", "ambassador", "up")
PATIENCE_S = 240.0
"""How long a busy machine may take to start all of them."""
LONG_S = 11.0
"""Longer than an engine may take for anything usual."""


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[int]:
    """The process of an engine that stands still, though others use it."""
    store = open_embedded(tmp_path)
    pid = int((tmp_path / "engine" / "valkey.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    yield pid
    os.kill(pid, signal.SIGCONT)
    store.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts programs of a site; what each says goes to a file of its name."""
    started: list[subprocess.Popen[bytes]] = []

    def start(program: str, **more: str) -> subprocess.Popen[bytes]:
        started.append(_started(tmp_path, program, more))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def _started(data: Path, program: str, more: dict[str, str]) -> subprocess.Popen[bytes]:
    own = {"ORCHARD_DATA": str(data), "ORCHARD_STORE": "embedded://", "PORT": str(free_port())}
    own["DJANGO_SETTINGS_MODULE"] = "orchard.settings"
    with (data / f"{program}.said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "manage.py", program], cwd=ROOT, env=os.environ | own | more,
            stdout=said, stderr=said,
        )  # fmt: skip


def said(data: Path, program: str) -> str:
    """All that a program has said."""
    return (data / f"{program}.said").read_text()


def test_a_process_goes_on_when_the_engine_does(tmp_path, stopped, start):
    process = start("pipeline", ORCHARD_ENGINE_WAIT_S="600")
    wait_until(lambda: "waiting for it, 600 s at most" in said(tmp_path, "pipeline"), PATIENCE_S)
    time.sleep(LONG_S)
    assert process.poll() is None
    os.kill(stopped, signal.SIGCONT)
    wait_until(lambda: "answers again" in said(tmp_path, "pipeline"), PATIENCE_S)
    process.terminate()
    assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
    assert "Traceback" not in said(tmp_path, "pipeline")


def test_a_process_that_has_waited_long_enough_ends_with_one_line(tmp_path, stopped, start):
    running = {name: start(name, ORCHARD_ENGINE_WAIT_S="1") for name in PROGRAMS}
    codes = {name: one.wait(PATIENCE_S) for name, one in running.items()}
    assert codes == dict.fromkeys(PROGRAMS, 1)
    for name in PROGRAMS:
        (line,) = [one for one in said(tmp_path, name).splitlines() if "WARNING" not in one]
        assert "the state engine does not start: " in line
        assert line.endswith("Waited for 1 s")


def test_a_wait_ends_when_the_process_is_told_to(tmp_path, stopped, start):
    running = {name: start(name, ORCHARD_ENGINE_WAIT_S="600") for name in ("serve", "up")}
    for name in running:
        wait_until(lambda name=name: "waiting for it" in said(tmp_path, name), PATIENCE_S)
    for one in running.values():
        one.terminate()
    assert [one.wait(PATIENCE_S) for one in running.values()] == [0, 0]
    assert not any("Traceback" in said(tmp_path, name) for name in running)
