"""The embedded engine: started, shared, restarted, adopted and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from statecore.store import open_store, ops, patience
from statecore.store.embedded import engine_directory, engine_url, open_embedded
from statecore.store.engine import LONGEST_SOCKET_PATH, SOCKET, Engine
from statecore.store.errors import StoreError, StoreUnavailable
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore

A = ops.Key("a")
ROOT = Path(__file__).parents[2]
USER = """
    import sys
    from pathlib import Path
    from statecore.store import ops
    from statecore.store.embedded import open_embedded
    store = open_embedded(Path(sys.argv[1]))
    store.commit({}, [ops.Set(sys.argv[2], b"1")])
    print(store.supervisor.is_in_charge, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path):
    """Starts another process that uses the engine until its input ends."""
    processes = []

    def start(key):
        command = [sys.executable, "-c", textwrap.dedent(USER), str(tmp_path), key]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        processes.append(process)
        return process, process.stdout.readline().strip() == "True"

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def store(tmp_path):
    store = open_embedded(tmp_path)
    yield store
    store.close()


def engine_of(data_dir):
    return Engine(engine_directory(data_dir))


def pid_of(data_dir):
    with redis.Redis.from_url(engine_url(data_dir), protocol=2) as client:
        return client.info("server")["process_id"]


def eventually(condition, seconds=10.0):
    stop = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (StoreUnavailable, redis.RedisError):
            pass
        assert time.monotonic() < stop, "it never came true"
        time.sleep(0.01)


def test_data_outlives_the_store(tmp_path):
    for expected in (None, b"1"):
        store = open_embedded(tmp_path)
        assert store.read(A) == [expected]
        store.commit({}, [ops.Set("a", b"1")])
        store.close()
        assert not engine_of(tmp_path).is_alive()


def test_an_engine_that_is_killed_comes_back_with_its_data(tmp_path, store):
    for n in range(20):
        store.commit({}, [ops.HashSet("h", {str(n): b"%d" % n})])
    os.kill(pid_of(tmp_path), signal.SIGKILL)
    eventually(lambda: len(store.read(ops.WholeHash("h"))[0]) == 20)
    assert store.commit({}, [ops.Set("a", b"1")]) == ops.Committed()


def test_a_second_process_joins_the_engine_of_the_first(tmp_path, store, other_process):
    process, is_in_charge = other_process("a")
    assert not is_in_charge
    assert store.read(A) == [b"1"]
    process.communicate()
    assert store.read(A) == [b"1"], "it must not stop an engine that is in use"


def test_whoever_remains_takes_over_and_the_last_one_stops_the_engine(tmp_path, other_process):
    first, was_in_charge = other_process("a")
    store = open_embedded(tmp_path)
    assert was_in_charge
    assert not store.supervisor.is_in_charge
    first.communicate()
    eventually(lambda: store.supervisor.is_in_charge)
    os.kill(pid_of(tmp_path), signal.SIGKILL)
    eventually(lambda: store.read(A) == [b"1"])
    store.close()
    assert not engine_of(tmp_path).is_alive()


def test_the_engine_of_a_killed_process_is_adopted(tmp_path, other_process):
    first, _ = other_process("a")
    pid = pid_of(tmp_path)
    first.kill()
    first.wait()
    store = open_embedded(tmp_path)
    assert (pid_of(tmp_path), store.read(A)) == (pid, [b"1"])
    assert store.supervisor.is_in_charge
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: store.read(A) == [b"1"])
    store.close()
    assert not engine_of(tmp_path).is_alive()


def test_an_adopted_engine_is_stopped_too(tmp_path, other_process):
    first, _ = other_process("a")
    first.kill()
    first.wait()
    open_embedded(tmp_path).close()
    assert not engine_of(tmp_path).is_alive()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_told_to_end_stops_the_engine(tmp_path, other_process, number):
    process, _ = other_process("a")
    process.send_signal(number)
    process.wait(60)
    assert not engine_of(tmp_path).is_alive()
    assert not (engine_directory(tmp_path) / SOCKET).exists()


def test_a_process_that_opens_while_the_last_one_leaves_gets_an_engine(tmp_path):
    for n in range(5):
        leaving = open_embedded(tmp_path)
        leaving.close()
        store = open_embedded(tmp_path)
        assert store.commit({}, [ops.Set("a", b"%d" % n)]) == ops.Committed()
        store.close()


def test_an_engine_that_cannot_start_says_why(tmp_path):
    directory = engine_directory(tmp_path)
    (directory / "appendonlydir").mkdir(parents=True)
    (directory / "appendonlydir" / "appendonly.aof.manifest").write_text("not a manifest\n")
    with pytest.raises(StoreUnavailable, match=r"(?s)does not start.*manifest"):
        open_embedded(tmp_path)
    assert not engine_of(tmp_path).is_alive()


def test_an_engine_that_stands_still_is_waited_for_with_a_word(
    tmp_path, store, caplog, monkeypatch
):
    monkeypatch.setattr(patience, "TELL_AFTER_S", 0.2)
    pid = store.supervisor.engine._pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor() as pool:
            opened = pool.submit(open_embedded, tmp_path, 60)
            try:
                eventually(lambda: "waiting for it, 60 s at most" in caplog.text)
                assert not opened.done()
            finally:
                os.kill(pid, signal.SIGCONT)
            late = opened.result(30)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "answers again" in caplog.text
    late.commit({}, [ops.Set("a", b"late")])
    assert store.read(A) == [b"late"]
    late.close()


def test_an_engine_that_stands_still_for_too_long_is_given_up(tmp_path, store):
    pid = store.supervisor.engine._pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable, match=r"^The .* does not answer; .* Waited for 1 s$"):
            open_embedded(tmp_path, 1)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert store.read(A) == [None]


def test_whoever_takes_charge_of_an_engine_that_stands_still_waits_for_it_too(
    tmp_path, other_process
):
    process, _ = other_process("a")
    pid = Engine(engine_directory(tmp_path))._pid()
    os.kill(pid, signal.SIGSTOP)
    process.kill()
    process.wait()
    with ThreadPoolExecutor() as pool:
        opened = pool.submit(open_embedded, tmp_path, 60)
        time.sleep(0.5)
        assert not opened.done()
        os.kill(pid, signal.SIGCONT)
        store = opened.result(30)
    assert store.supervisor.is_in_charge
    assert store.read(A) == [b"1"]
    assert Engine(engine_directory(tmp_path))._pid() == pid
    store.close()


def test_a_long_path_is_reached_by_a_short_one(tmp_path):
    data_dir = tmp_path / ("long" * 20) / ("longer" * 10)
    engine = engine_of(data_dir)
    assert len(os.fsencode(engine.socket_path)) <= LONGEST_SOCKET_PATH
    assert engine.socket_path.parent.resolve() == engine.directory
    store = open_embedded(data_dir)
    assert store.commit({A: None}, [ops.Set("a", b"1")]) == ops.Committed()
    store.close()
    engine.socket_path.parent.unlink()


def test_the_engine_listens_to_its_socket_only(tmp_path, store):
    with redis.Redis.from_url(engine_url(tmp_path), protocol=2) as client:
        config = client.config_get("*")
    assert config["port"] == "0"
    assert (config["appendonly"], config["appendfsync"]) == ("yes", "everysec")
    assert (engine_directory(tmp_path) / SOCKET).stat().st_mode & 0o077 == 0


def test_asking_for_the_url_of_an_engine_creates_nothing(tmp_path):
    assert engine_url(tmp_path / "new", 1) == f"unix://{tmp_path}/new/engine/valkey.sock?db=1"
    assert not (tmp_path / "new").exists()


def test_a_url_names_the_store(tmp_path):
    kinds = {"memory://": MemoryStore, "redis://127.0.0.1:1/0": RedisStore, "unix:///x": RedisStore}
    for url, kind in kinds.items():
        store = open_store(url)
        assert type(store) is kind
        store.close()
    store = open_store("embedded://", tmp_path)
    assert store.name == "embedded"
    store.close()


@pytest.mark.parametrize("url", ["", "postgres://x", "memory", "embedded://"])
def test_a_url_that_names_no_store_is_refused(url):
    with pytest.raises(StoreError):
        open_store(url)
