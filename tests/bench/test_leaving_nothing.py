"""What a bench does to an engine that others use, and what it leaves behind: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from benchmarks.interrupting import Interrupted, interruptible
from benchmarks.rows import rate_per_s
from tests.conftest import EngineServer

Start = Callable[..., "subprocess.Popen[str]"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a bench as somebody does, with its temporary folders in a place of the test's."""
    (tmp_path / "tmp").mkdir()
    own = {"ORCHARD_DATA": str(tmp_path / "data"), "TMPDIR": str(tmp_path / "tmp")}
    command = [sys.executable, "manage.py", "bench", "--rows", "1", "--count", "20000"]
    started = []

    def start(*options: str) -> subprocess.Popen[str]:
        bench = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=os.environ | own, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        started.append(bench)
        return bench

    yield start
    for bench in started:
        bench.kill()
        bench.communicate()


def database(server: EngineServer, number: int) -> redis.Redis:
    return redis.Redis.from_url(server.url.rpartition("/")[0] + f"/{number}")


def content(client: redis.Redis) -> dict[bytes, bytes]:
    return {key: client.dump(key) for key in client.scan_iter()}


def wait_for(condition) -> None:
    stop = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < stop
        time.sleep(0.05)


@pytest.fixture
def in_use(own_engine_server: EngineServer) -> EngineServer:
    """An engine with data of others, some under names that the bench makes, too."""
    client = database(own_engine_server, 0)
    client.set("job:0123456789abcdef", "precious")
    client.zadd("queue:chunks", {"0123456789abcdef_chunk_0": 1})
    client.xadd("events", {"e": "x"})
    return own_engine_server


def test_an_engine_with_data_in_it_is_refused_and_stays_as_it_is(start, in_use):
    before = content(database(in_use, 0))
    bench = start("--engine", in_use.url)
    _, said = bench.communicate(timeout=60)
    assert bench.returncode == 1
    assert "holds 3 keys. With --i-know the bench measures beside them" in said
    assert "Traceback" not in said
    assert content(database(in_use, 0)) == before


def test_an_engine_that_is_not_there_is_said_in_one_line(start):
    bench = start("--engine", "redis://127.0.0.1:1/0")
    _, said = bench.communicate(timeout=60)
    assert (bench.returncode, "cannot be measured on" in said) == (1, True)
    assert "Traceback" not in said


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_bench_takes_with_it_what_it_made_and_nothing_else(start, in_use, signum):
    before = content(database(in_use, 0))
    bench = start("--engine", in_use.url, "--i-know")
    used = database(in_use, 15)
    wait_for(lambda: used.exists("bench:get"))
    used.set("somebody:else", "precious")
    bench.send_signal(signum)
    bench.send_signal(signum)  # an impatient hand
    _, said = bench.communicate(timeout=60)
    assert bench.returncode == 128 + signum
    assert said.strip() == f"interrupted by {signum.name}; what was made for it is gone"
    assert content(database(in_use, 0)) == before
    assert set(content(used)) == {b"somebody:else"}
    assert [n for n in range(1, 15) if database(in_use, n).dbsize()] == []


def test_a_bench_that_ends_takes_with_it_what_it_made(start, own_engine_server):
    bench = start("--engine", own_engine_server.url, "--count", "10")
    told, said = bench.communicate(timeout=120)
    assert (bench.returncode, "heartbeat" in told) == (0, True), said
    assert content(database(own_engine_server, 0)) == {}


def test_the_engine_of_an_interrupted_bench_is_gone_with_its_folder(start, tmp_path):
    bench = start()
    folder = tmp_path / "tmp"
    wait_for(lambda: list(folder.glob("orchard-bench-*/appendonlydir")))
    assert processes_in(folder)
    bench.terminate()
    bench.communicate(timeout=60)
    assert bench.returncode == 128 + signal.SIGTERM
    left = [*processes_in(folder), *folder.glob("orchard-*")]
    assert left == []


def processes_in(folder: Path) -> list[str]:
    """Processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            found.append(os.readlink(process / "cwd"))
    return [place for place in found if place.startswith(str(folder))]


def test_a_signal_whose_exception_was_lost_ends_what_measures_nevertheless():
    def measure() -> None:
        with interruptible():
            with suppress(Interrupted):  # as Python does where it clears up
                signal.raise_signal(signal.SIGTERM)
            rate_per_s(lambda: None, 10)

    with pytest.raises(Interrupted):
        measure()
    assert rate_per_s(lambda: None, 10) > 0
