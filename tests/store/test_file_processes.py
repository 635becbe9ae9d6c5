"""The file store shared by processes, some of which are killed, and on disks that are full."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from statecore.store import file_history, ops
from statecore.store.file import FileStore
from statecore.store.memory import MemoryStore
from tests.store.test_against_memory import BothStores

ROOT = Path(__file__).parents[2]
STATE = "poppo:state:issues"
REFS = (
    ops.Key("a"),
    ops.Field(STATE, "34"),
    ops.Field("poppo:state:tasks", "34"),
    ops.Members("s"),
)
OLD, NEW = ([b"old", b'"old"', b'"old"', {"old"}], [b"new", b'"new"', b'"new"', {"new"}])


def commit_all(store, word):
    value = json.dumps(word).encode()
    store.commit(
        {},
        [
            ops.Set("a", word.encode()),
            ops.Delete(("s",)),
            ops.HashSet(STATE, {"34": value}),
            ops.HashSet("poppo:state:tasks", {"34": value}),
            ops.SetAdd("s", (word,)),
        ],
    )


def start(script, *arguments):
    command = [sys.executable, "-c", PRELUDE + script, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stdin=pipe, text=True)


def run(script, *arguments):
    process = start(script, *arguments)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


PRELUDE = """
import os, resource, signal, sys
from statecore.store import ops
from statecore.store.errors import StoreFull
from statecore.store.file import FileStore
from statecore.store.steps import Decision, transact
store = FileStore(sys.argv[1])
"""

DIE_AT_A_CALL = """
from tests.store.test_file_processes import commit_all
calls = 0

def dying(real):
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call

for name in ("open", "write", "fsync", "link", "replace", "unlink"):
    setattr(os, name, dying(getattr(os, name)))
"""


@pytest.mark.parametrize(
    ("deed", "outcomes"),
    [("commit_all(store, 'new')", (OLD, NEW)), ("store.close()", (OLD,))],
    ids=["commit", "compaction"],
)
def test_a_process_killed_anywhere_leaves_all_of_a_commit_or_nothing(tmp_path, deed, outcomes):
    seen = []
    for call in itertools.count(1):
        directory = tmp_path / str(call)
        running = FileStore(directory)
        commit_all(running, "old")
        code, _ = run(DIE_AT_A_CALL + deed, directory, call)
        opened = FileStore(directory)
        found = opened.read(*REFS)
        assert found in outcomes
        assert running.read(*REFS) == found
        assert json.loads((directory / "unified-issues.json").read_text()) == {
            "34": found[0].decode()
        }
        seen.append((found, code))
        opened.commit({}, [ops.SetAdd("s", ("after",))])
        assert running.read(ops.Members("s")) == [found[3] | {"after"}]
        assert opened.damaged == running.damaged == []
        opened.close()
        running.close()
        assert {path.name for path in directory.iterdir() if "tmp" in path.name} <= set(
            leftovers(directory)
        )
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert call > 10
    killed = [found for found, code in seen if code]
    assert all(outcome in killed for outcome in outcomes), "killed before and after the decision"
    assert seen[-1] == (outcomes[-1], 0)


def leftovers(directory):
    """What a killed process may leave: no program reads it, and the next one writes over it."""
    names = (file_history.JOURNAL, file_history.SNAPSHOT)
    return [f"{name}.tmp" for name in names]


INCREMENT = """
def increment(seen, at):
    count = int(seen[cells[0]] or b"0") + 1
    text = b"%d" % count
    return Decision(count, (ops.Set("n", text), ops.HashSet("poppo:state:issues", {"n": text})))

cells = [ops.Key("n"), ops.Field("poppo:state:issues", "n")]
print("ready", flush=True)
sys.stdin.readline()
print(*(store.run(transact(cells, increment)) for _ in range(100)))
store.close()
"""


def test_processes_that_race_lose_nothing(tmp_path):
    processes = [start(INCREMENT, tmp_path) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    outputs = []
    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(lambda process: process.communicate("go\n", 60)[0], processes))
    counts = [int(word) for output in outputs for word in output.split()]
    assert sorted(counts) == list(range(1, 301))
    store = FileStore(tmp_path)
    assert store.read(ops.Key("n"), ops.Field(STATE, "n")) == [b"300", b"300"]
    assert store.damaged == []
    store.close()


APPEND = """
for line in sys.stdin:
    store.commit({}, [ops.Append("e", (line.strip().encode(),), 1000)])
"""


def test_a_waiting_tail_sees_what_another_process_appends(tmp_path):
    store, process = FileStore(tmp_path), start(APPEND, tmp_path)
    try:
        cursor = store.tail("e", "$").cursor
        for n in range(5):
            with ThreadPoolExecutor() as pool:
                waiting = pool.submit(store.tail, "e", cursor, 10, 20_000)
                process.stdin.write(f"{n}\n")
                process.stdin.flush()
                tailed = waiting.result(10)
            assert [text for _, text in tailed.entries] == [b"%d" % n]
            cursor = tailed.cursor
    finally:
        process.communicate()
        store.close()


def test_stores_of_one_process_see_each_other(tmp_path):
    one, other = FileStore(tmp_path), FileStore(tmp_path)
    for n in range(20):
        one.commit({}, [ops.Set("a", b"%d" % n), ops.HashSet(STATE, {"n": b"%d" % n})])
        assert other.read(ops.Key("a"), ops.Field(STATE, "n")) == [b"%d" % n] * 2
        one, other = other, one
    one.close()
    assert other.read(ops.Key("a")) == [b"19"]
    other.close()


FILL = """
path = os.path.join(sys.argv[1], sys.argv[2])
store.commit({}, [ops.HashSet("poppo:state:issues", {"34": b'"' + b"x" * 5000 + b'"'})])
store.commit({}, [ops.Set("a", b"0"), ops.HashSet("poppo:state:issues", {"n": b"0"})])
free = int(sys.argv[3])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(path) + free, hard))
refs, done = (ops.Key("a"), ops.Field("poppo:state:issues", "n")), 0
try:
    while True:
        text = b"%d" % (done + 1)
        more = {"n": text, f"more{done}": b'"' + b"y" * 200 + b'"'}
        store.commit({}, [ops.Set("a", text), ops.HashSet("poppo:state:issues", more)])
        done += 1
except StoreFull as error:
    assert "room" in str(error), error
assert store.read(*refs) == [b"%d" % done] * 2, (store.read(*refs), done)
for _ in range(3):
    try:
        store.commit({}, [ops.Set("a", text), ops.HashSet("poppo:state:issues", more)])
    except StoreFull:
        continue
    raise SystemExit("there was room")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert store.read(*refs) == [b"%d" % done] * 2
store.commit({}, [ops.Set("b", b"fine")])
print(done)
os._exit(0)
"""


@pytest.mark.parametrize("file", [file_history.JOURNAL, "unified-issues.json"])
@pytest.mark.parametrize("free", [10, 2000])
def test_a_full_disk_is_named_and_nothing_is_changed(tmp_path, file, free):
    code, out = run(FILL, tmp_path, file, free)
    assert code == 0
    done = int(out)
    assert (done > 0) == (free > 1000)
    store = FileStore(tmp_path)
    text = b"%d" % done
    refs = (ops.Key("a"), ops.Field(STATE, "n"), ops.Key("b"), ops.Size(STATE))
    assert store.read(*refs) == [text, text, b"fine", b"%d" % (done + 2)]
    assert store.damaged == []
    assert list(tmp_path.glob("*.tmp")) == []
    store.close()


class TestAgainstMemory:
    """A random walk over the memory store and two file stores on one directory."""

    @pytest.mark.timeout(120)
    def test_the_files_and_the_dictionaries_never_differ(self, tmp_path, monkeypatch):
        monkeypatch.setattr(file_history, "COMPACT_BYTES", 3_000)
        directories = (tmp_path / str(n) for n in itertools.count())

        class Machine(BothStores):
            def __init__(self):
                super(BothStores, self).__init__()
                self.memory, self.directory = MemoryStore(), next(directories)
                self.engine, self.other = FileStore(self.directory), FileStore(self.directory)
                self.cursors = {}

            @rule()
            def change_places(self):
                self.engine, self.other = self.other, self.engine

            @rule(is_killed=st.booleans())
            def reopen(self, is_killed):
                if not is_killed:
                    self.other.close()
                self.other = FileStore(self.directory)

            def teardown(self):
                for store in (self.engine, self.other):
                    assert store.damaged == []
                    store.close()

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=40,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
