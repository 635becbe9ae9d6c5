"""Sealed backups and exports: nobody reads them, and another key's are refused untouched."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchard.fallback import saving
from orchard.ports import kept_back
from statecore.ports.backup_directories import AUDIO, MANIFEST, STATE, BadBackup
from statecore.ports.export_format import BadExport
from statecore.ports.sealed_files import EXPORT, new_sealed_file
from statecore.sealing import site
from statecore.sealing.faults import MissingKey
from statecore.sealing.key_ring import make_key
from statecore.sealing.site import Sealing
from statecore.services import backups, namespaced, transfer
from statecore.services.backups import AudioFile
from statecore.services.imports import Mode, check_export, import_export
from statecore.services.resealed_backups import REPLACED, reseal_backups
from statecore.store.memory import MemoryStore
from tests.transfer.reading import whole

SOUND = [AudioFile("jobs/secret.wav", 1234)]
SECRET = "the orange tree of grandmother"


@pytest.fixture
def root(tmp_path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def made(root, seal):
    """A store with a secret in it, and a sealed backup of it, ``first``."""
    store = MemoryStore()
    store.run(namespaced.put("tasks", "a", {"text": SECRET, "n": list(range(2000))}))
    backups.create(store, root, "first", SOUND)
    return store


@pytest.fixture
def export(tmp_path, made) -> Path:
    path = tmp_path / "state.json"
    with new_sealed_file(path, EXPORT) as stream:
        transfer.export(made, stream)
    return path


def changed(store: MemoryStore) -> dict:
    """The store after something else has happened to it."""
    store.run(namespaced.put("tasks", "a", "something else"))
    return whole(store)


def test_a_sealed_backup_comes_back_as_it_was(root, made):
    before = whole(made)
    made.run(namespaced.put("tasks", "a", "something else"))
    manifest = backups.verify(root, "first")
    assert (manifest.sealed_with, manifest.version) == ("k1", 2)
    backups.restore(made, root, "first", lambda: SOUND)
    assert whole(made) == before
    assert list(backups.read_audio(root, "first")) == SOUND


def test_nothing_of_what_it_holds_stands_in_a_sealed_backup(root, made, export):
    files = [*(root / "first").iterdir(), export]
    raw = b"".join(path.read_bytes() for path in files)
    assert SECRET.encode() not in raw
    assert b"secret.wav" not in raw
    for name in (STATE, AUDIO):
        with pytest.raises(gzip.BadGzipFile):
            gzip.decompress((root / "first" / name).read_bytes())


@pytest.mark.parametrize("others", [[], ["k2"], ["k1"], ["k2", "k1"]])
def test_a_backup_of_another_key_is_refused_before_anything_is_touched(root, made, seal, others):
    there = changed(made)
    seal(*map(make_key, others))
    for mode in Mode:
        with pytest.raises(BadBackup, match=r"sealed with the key 'k1'|does not open"):
            backups.restore(made, root, "first", list, mode)
    assert whole(made) == there
    assert [path.name for path in root.iterdir()] == ["first"]


def test_an_export_of_another_key_is_refused_before_anything_is_touched(made, export, seal):
    there = changed(made)
    for keys in ([], [make_key("k2")], [make_key("k1")]):
        seal(*keys)
        with pytest.raises(BadExport, match="its seal"):
            import_export(made, export, Mode.REPLACE)
    assert whole(made) == there


def test_an_old_key_opens_what_it_has_sealed_while_another_one_seals(root, made, seal, tmp_path):
    (old,) = seal(make_key("old")).ring.keys
    backups.create(made, root, "second")
    seal(make_key("new"), old)
    assert backups.verify(root, "second").sealed_with == "old"
    assert backups.create(made, root, "third").sealed_with == "new"


@settings(max_examples=30, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.data())
def test_an_export_that_was_cut_off_anywhere_is_refused(made, export, data):
    raw = export.read_bytes()
    cut = export.with_name("cut")
    cut.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(BadExport):
        check_export(cut)


def test_files_of_two_backups_cannot_be_swapped(root, made):
    made.run(namespaced.put("tasks", "a", "something else"))
    backups.create(made, root, "second", SOUND)
    shutil.copy(root / "second" / STATE, root / "first" / STATE)
    _sign_again(root / "first")
    with pytest.raises(BadBackup, match="does not open"):
        backups.verify(root, "first")


def test_a_plain_file_is_not_taken_for_a_sealed_one(root, made, seal):
    seal(*seal(make_key("k1")).ring.keys, parts=frozenset())
    backups.create(made, root, "plain", SOUND)
    assert backups.verify(root, "plain").version == 1
    shutil.copy(root / "plain" / STATE, root / "first" / STATE)
    _sign_again(root / "first")
    with pytest.raises(BadBackup, match="is not sealed, and should be"):
        backups.verify(root, "first")


def test_backups_are_sealed_anew_and_opened_again(root, made, seal):
    there = whole(made)
    (old,) = seal(make_key("old")).ring.keys
    backups.create(made, root, "second", SOUND)
    (root / "first" / AUDIO).write_bytes(b"altered")
    wanted = seal(make_key("new"), old)
    report = reseal_backups(root, wanted, print)
    assert (report.sealed, report.right, report.damaged) == (1, 0, ["first"])
    seal(wanted.ring.first)
    assert backups.verify(root, "second").sealed_with == "new"
    assert sorted(path.name for path in root.iterdir()) == ["first", "second"]
    assert reseal_backups(root, Sealing(wanted.ring), print).sealed == 1
    seal()
    made.run(namespaced.put("tasks", "a", "something else"))
    assert backups.verify(root, "second").version == 1
    backups.restore(made, root, "second", lambda: SOUND)
    assert whole(made) == there


def test_a_backup_comes_back_when_its_replacement_was_killed(root, made, seal):
    sealing = seal(make_key("new"), *_ring_of(seal))
    (root / "first").rename(root / f"{REPLACED}first")
    reseal_backups(root, sealing, print)
    assert [path.name for path in root.iterdir()] == ["first"]


def test_what_a_killed_one_had_replaced_is_deleted(root, made, seal):
    shutil.copytree(root / "first", root / f"{REPLACED}first")
    report = reseal_backups(root, seal(*_ring_of(seal)), print)
    assert (report.right, report.sealed) == (1, 0)
    assert [path.name for path in root.iterdir()] == ["first"]


def _ring_of(seal):
    return site.sealing_of_site().ring.keys


def test_an_export_may_be_called_anything_and_plain_ones_are_read_as_ever(made, export, seal):
    other = export.rename(export.with_name("other"))
    assert check_export(other).counts == {"entries": 1}
    with new_sealed_file(export, EXPORT, plain=True) as stream:
        transfer.export(made, stream)
    seal()
    assert SECRET in json.loads(export.read_text())["namespaces"]["tasks"]["a"]["text"]
    assert check_export(export).counts == {"entries": 1}


def test_a_packed_export_is_sealed_too(made, tmp_path):
    path = tmp_path / "state.json.gz"
    plain = io.BytesIO()
    transfer.export(made, plain)
    with new_sealed_file(path, EXPORT) as stream:
        stream.write(gzip.compress(plain.getvalue()))
    assert check_export(path).counts == {"entries": 1}


def _sign_again(folder: Path) -> None:
    """Make a manifest fit its files, as somebody would who has altered them on purpose."""
    from statecore.ports import backup_directories as directories

    manifest = directories.read_manifest(folder.parent, folder.name)
    (folder / MANIFEST).unlink()
    directories.write_manifest(folder, manifest)


def test_what_a_fallback_saves_is_sealed_and_is_loaded_with_its_key_only(made, seal, tmp_path):
    folder = tmp_path / "fallback"
    saving.save(made, folder)
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in folder.iterdir())
    assert saving.load_jobs(folder) == []
    assert check_export(folder / kept_back.STATE).counts["entries"] == 1
    seal(make_key("k2"))
    with pytest.raises(MissingKey, match="'k1'"):
        saving.load_jobs(folder)
