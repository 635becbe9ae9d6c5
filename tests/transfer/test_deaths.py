"""A migration, an import or a backup is killed at any point, and run again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from statecore.services import backups, engine, imports, migrations, namespaced, transfer
from statecore.store import open_store
from statecore.store.memory import MemoryStore
from tests.transfer.directories import make_directory
from tests.transfer.reading import check_issues, label_requests, values, whole

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, signal, sys
from pathlib import Path
from statecore.services import backups, engine, imports, migrations, recorded
from statecore.store import open_store

what, url, place, last = sys.argv[1:]
recorded.BATCH_ENTRIES = 60
store = open_store(url)
engine.configure(lambda: store)
left = int(last)

def progress(*told):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1

if what == "migrate":
    migrations.migrate(store, Path(place), migrations.Options(verify=True), progress)
elif what == "first start":
    migrations.migrate_at_first_start(store, Path(place), progress)
elif what == "import":
    imports.import_export(store, Path(place), imports.Mode.REPLACE, progress=progress)
else:
    backups.create(store, Path(place), "killed", progress=progress)
store.close()
"""


def start(what: str, url: str, place: Path, last: int) -> subprocess.Popen:
    """A process that kills itself when it has told of its progress ``last`` times."""
    command = [sys.executable, "-c", SCRIPT, what, url, str(place), str(last)]
    return subprocess.Popen(command, cwd=ROOT)


def run_until(what: str, url: str, place: Path, last: int) -> bool:
    """Whether it was killed before it was done."""
    code = start(what, url, place, last).wait()
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.fixture(params=["redis", "file"])
def url(request, tmp_path) -> str:
    if request.param == "file":
        return (tmp_path / "engine").as_uri()
    server = request.getfixturevalue("engine_server")
    server.client.flushdb()
    return server.url


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the engine holds when nothing goes wrong."""
    directory = tmp_path_factory.mktemp("whole") / "old"
    make_directory(directory)
    store = MemoryStore()
    migrations.migrate(store, directory)
    return whole(store)


@pytest.mark.parametrize("last", [0, 4, 8, 12, 17, 18, 25])
def test_a_killed_migration_is_finished_by_the_next(url, tmp_path, expected, last):
    directory = tmp_path / "old"
    make_directory(directory)
    assert run_until("migrate", url, directory, last)
    assert not run_until("migrate", url, directory, -1)
    store = open_store(url)
    assert whole(store) == expected
    check_issues(store)
    assert label_requests(store) == 0
    left = {path.name for path in directory.iterdir() if path.name.endswith(".json")}
    assert left == {"unified-agents.json"}
    backups_made = [path for path in directory.iterdir() if ".json.backup-" in path.name]
    assert len(backups_made) == 9
    store.close()


def test_it_may_be_killed_again_and_again(url, tmp_path, expected):
    directory = tmp_path / "old"
    make_directory(directory)
    deaths = sum(run_until("migrate", url, directory, last) for last in (2, 6, 14, 19))
    assert deaths == 4
    assert not run_until("migrate", url, directory, -1)
    store = open_store(url)
    assert whole(store) == expected
    store.close()


def test_several_processes_start_at_once_and_one_dies(url, tmp_path, expected):
    directory = tmp_path / "old"
    make_directory(directory)
    crowd = [start("first start", url, directory, last) for last in (5, -1, -1)]
    codes = [process.wait() for process in crowd]
    assert codes[1:] == [0, 0]
    store = open_store(url)
    assert whole(store) == expected
    check_issues(store)
    store.close()


@pytest.mark.parametrize("last", [2, 5, 9])
def test_a_killed_import_is_finished_by_the_next(url, tmp_path, last):
    directory, path = tmp_path / "old", tmp_path / "export.json"
    make_directory(directory)
    source, target = MemoryStore(), open_store(url)
    migrations.migrate(source, directory)
    with path.open("wb") as stream:
        transfer.export(source, stream)
    target.run(namespaced.put("tasks", "not-in-the-file", 1))
    target.close()
    assert run_until("import", url, path, last)
    assert not run_until("import", url, path, -1)
    target = open_store(url)
    assert values(target, "issues") == values(source, "issues")
    assert whole(target) == whole(source)
    check_issues(target)
    target.close()


def test_a_killed_backup_leaves_nothing_that_looks_like_one(url, tmp_path):
    root = tmp_path / "backups"
    store = open_store(url)
    engine.configure(lambda: store)
    store.run(namespaced.put("tasks", "a", 1))
    assert run_until("backup", url, root, 0)
    assert backups.list_backups(root) == []
    assert [path.name[0] for path in root.iterdir()] == ["."]
    assert not run_until("backup", url, root, -1)
    assert [path.name for path in root.iterdir()] == ["killed"]
    assert imports.check_export(root / "killed" / "state.json.gz").counts == {"entries": 1}
    store.close()


def test_the_turn_of_a_dead_process_is_not_waited_for(url, tmp_path):
    make_directory(tmp_path / "old")
    assert run_until("migrate", url, tmp_path / "old", 3)
    store = open_store(url)
    report = migrations.migrate(store, tmp_path / "old")
    assert report.outcome == "migrated"
    store.close()
