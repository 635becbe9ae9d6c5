"""Named backups: whole or not there, verified, pruned, and brought back."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from statecore.domain.errors import InvalidInput
from statecore.ports.backup_directories import BadBackup
from statecore.services import backups, namespaced
from statecore.services.backups import AudioFile
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from tests.transfer.reading import whole

ROOT = Path(__file__).parents[2]
SOUND = [AudioFile("jobs/会議.wav", 1234), AudioFile("jobs/b.mp3", 5, "ab" * 32)]


@pytest.fixture
def root(tmp_path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def made(root, clock):
    """A store with something in it, and a backup of it, ``first``."""
    store = MemoryStore(clock)
    store.run(namespaced.put("tasks", "題", {"本文": "🍊" * 100}))
    backups.create(store, root, "first", SOUND)
    return store


def test_a_backup_says_what_it_holds_and_only_its_owner_reads_it(root, made):
    [listed] = backups.list_backups(root)
    assert listed.name == "first"
    assert listed.manifest.counts == {"entries": 1}
    assert (listed.manifest.audio_files, listed.manifest.audio_bytes) == (2, 1239)
    assert backups.verify(root, "first") == listed.manifest
    assert list(backups.read_audio(root, "first")) == SOUND
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (root / "first").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((root / "first").stat().st_mode) == 0o700
    assert sorted(path.name for path in root.iterdir()) == ["first"]


def test_a_name_is_used_once(root, made):
    with pytest.raises(BadBackup, match="there is a backup of this name"):
        backups.create(made, root, "first")
    assert backups.verify(root, "first").audio_files == 2


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "-x", "x" * 300, "a\0b", "..", " x"])
def test_a_name_that_is_none_is_refused(root, made, name):
    for use in (
        lambda: backups.create(made, root, name),
        lambda: backups.verify(root, name),
        lambda: backups.restore(made, root, name, list),
    ):
        with pytest.raises(InvalidInput):
            use()
    assert [one.name for one in backups.list_backups(root)] == ["first"]


def test_without_a_name_it_is_called_by_the_time(root, made, clock):
    clock.advance(61)
    backups.create(made, root)
    newest, oldest = backups.list_backups(root)
    assert oldest.name == "first"
    assert newest.name.endswith("Z")
    assert newest.manifest.created_at > oldest.manifest.created_at


FILES = ["manifest.json", "state.json.gz", "audio.jsonl.gz"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["altered", "cut off", "missing", "empty"])
def test_a_harmed_backup_is_refused_and_nothing_is_changed(root, made, name, harm):
    path = root / "first" / name
    data = path.read_bytes()
    middle = len(data) // 2
    harmed = {
        "altered": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "cut off": data[:-3],
        "empty": b"",
    }
    path.unlink() if harm == "missing" else path.write_bytes(harmed[harm])
    before = whole(made)
    with pytest.raises(BadBackup, match="first"):
        backups.verify(root, "first")
    with pytest.raises(BadBackup):
        backups.restore(made, root, "first", list)
    assert whole(made) == before
    assert len(list(root.iterdir())) == 1  # no backup of what there was before either


def test_a_backup_of_a_newer_version_is_refused(root, made):
    path = root / "first" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 3}))
    with pytest.raises(BadBackup, match="version 3"):
        backups.verify(root, "first")
    assert "version 3" in backups.list_backups(root)[0].fault


def test_a_folder_that_was_renamed_is_not_taken_for_another(root, made):
    (root / "first").rename(root / "second")
    with pytest.raises(BadBackup, match="'first'"):
        backups.verify(root, "second")


def test_a_restore_brings_back_what_was_and_keeps_what_is(root, made, clock):
    before = whole(made)
    made.run(namespaced.put("tasks", "題", "changed"))
    made.run(namespaced.put("tasks", "new", 1))
    now = whole(made)
    audio = [SOUND[0], AudioFile("jobs/b.mp3", 6)]
    report = backups.restore(made, root, "first", lambda: audio)
    assert whole(made) == before
    assert report.audio_missing == ["jobs/b.mp3"]
    assert (report.imported.replaced, report.imported.deleted) == (1, 1)
    clock.advance(1)
    backups.restore(made, root, report.safety_backup, lambda: audio)
    assert whole(made) == now


class TestPruning:
    @pytest.fixture
    def five(self, root, clock):
        """Backups of five days, the oldest first; the time after the last."""
        store = MemoryStore(clock)
        for day in range(5):
            backups.create(store, root, f"day-{day}")
            clock.advance(86_400)
        return store.now()

    @pytest.mark.parametrize(
        ("keep", "days", "left"),
        [
            (None, None, "01234"), (2, None, "34"), (0, None, ""), (9, None, "01234"),
            (None, 2.5, "34"), (None, 0.5, ""), (1, 2.5, "34"), (3, 0.5, "234"), (0, 2.5, "34"),
        ],
    )  # fmt: skip
    def test_old_ones_go(self, root, five, keep, days, left):
        deleted = backups.prune(root, keep=keep, days=days, now=five)
        there = sorted(one.name[-1] for one in backups.list_backups(root))
        assert "".join(there) == left
        assert len(deleted) == 5 - len(left)
        assert len(list(root.iterdir())) == len(left)

    def test_what_cannot_be_read_and_what_is_none_stays(self, root, five):
        (root / "day-0" / "manifest.json").write_text("{}")
        (root / "photos").mkdir()
        backups.prune(root, keep=0, now=five + timedelta(days=99))
        assert sorted(path.name for path in root.iterdir()) == ["day-0", "photos"]

    def test_negative_numbers_are_refused(self, root, five):
        with pytest.raises(InvalidInput):
            backups.prune(root, keep=-1, now=five)
        assert len(backups.list_backups(root)) == 5


FULL = """
import resource, signal, sys
from pathlib import Path
from statecore.ports.private_files import new_file
from statecore.services import backups, namespaced, transfer
from statecore.store.memory import MemoryStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = MemoryStore()
import random
for n in range(200):
    store.run(namespaced.put("tasks", str(n), random.Random(n).randbytes(2000).hex()))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
place = Path(sys.argv[1])
for make in (lambda: backups.create(store, place / "backups", "full"), lambda: export()):
    def export():
        with new_file(place / "export.json") as stream:
            transfer.export(store, stream)
    try:
        make()
    except OSError as fault:
        print("refused:", fault.strerror)
"""


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=ROOT, check=True, capture_output=True,
        text=True,
    )  # fmt: skip
    assert told.stdout.count("refused:") == 2
    assert [path.name for path in tmp_path.rglob("*")] == ["backups"]
