"""Child processes: restarted after growing rests, stopped together, killed when they are deaf."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from orchard import processes
from orchard.processes import Child, stop_all
from tests.foundation.launcher import wait_until

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True)"


@pytest.fixture
def make(tmp_path):
    """Makes children, and ends what is left of them."""
    made: list[Child] = []

    def make(program: str, name: str = "one") -> Child:
        made.append(Child(name, [sys.executable, "-c", program], tmp_path, {"WORD": "hello"}))
        return made[-1]

    yield make
    for child in made:
        child.kill()


def log_of(directory: Path, name: str = "one") -> str:
    """What a child has said."""
    path = directory / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_what_a_child_says_goes_to_its_log(make, tmp_path):
    child = make("import os, sys; print(os.environ['WORD']); sys.stderr.write('dear\\n')")
    child.start()
    wait_until(lambda: not child.is_running)
    assert sorted(log_of(tmp_path).split()) == ["dear", "hello"]


def test_a_child_that_dies_at_once_rests_longer_each_time(make, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    child = make("raise SystemExit(3)")
    child.start()
    rests = []
    for _ in range(8):
        child._process.wait()
        news = child.keep_running()
        assert news.startswith("one ended with code 3; starting it again in ")
        rests.append(float(news.split(" in ")[1].split(" s ")[0]))
        now[0] += rests[-1] - 0.01
        assert child.keep_running() is None
        assert child._process is None
        now[0] += 0.02
        assert child.keep_running() is None
        assert child._process is not None
    assert rests == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_child_that_lived_for_long_rests_shortly(make, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    child = make("pass")
    child._deaths = 5
    child.start()
    child._process.wait()
    now[0] += 3600
    assert " in 0.5 s " in child.keep_running()


def test_a_deaf_child_is_killed_at_the_deadline(make, tmp_path):
    child = make(f"{DEAF}; time.sleep(60)")
    child.start()
    wait_until(lambda: "on" in log_of(tmp_path))
    stop_all([child], 0.2, threading.Event())
    assert not child.is_running


def test_a_second_signal_does_not_wait_for_the_deadline(make, tmp_path):
    child = make(f"{DEAF}; time.sleep(60)")
    child.start()
    wait_until(lambda: "on" in log_of(tmp_path))
    at_once = threading.Event()
    threading.Timer(0.2, at_once.set).start()
    begin = time.monotonic()
    stop_all([child], 60, at_once)
    assert time.monotonic() - begin < 10
    assert not child.is_running


def test_children_that_were_never_started_can_be_stopped(make):
    stop_all([make("pass")], 1, threading.Event())


def test_a_long_log_is_set_aside(make, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "LOG_MAX_BYTES", 10)
    (tmp_path / "one.log").write_text("x" * 11)
    child = make("print('new')")
    child.start()
    wait_until(lambda: not child.is_running)
    assert log_of(tmp_path) == "new\n"
    assert (tmp_path / "one.log.1").read_text() == "x" * 11


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_child_does_not_outlive_its_parent(tmp_path):
    program = f"""
import sys, time
from pathlib import Path
from orchard.processes import Child
child = Child("one", [sys.executable, "-c", "import time; time.sleep(60)"], Path({str(tmp_path)!r}), {{}})
child.start()
print(child._process.pid, flush=True)
time.sleep(60)
"""  # noqa: E501
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not _is_alive(pid))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
