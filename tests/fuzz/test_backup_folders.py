"""Backups that were damaged, renamed, made by others: refused, and the store as it was."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.fallback import merging, saving
from orchard.ports import kept_back
from orchard.services import engine as orchard_engine
from statecore.ports import backup_directories
from statecore.ports.backup_directories import AUDIO, MANIFEST, STATE, BadBackup, Manifest
from statecore.ports.export_format import BadExport
from statecore.services import backups, namespaced
from statecore.services.backups import AudioFile
from statecore.store.memory import MemoryStore
from tests.fuzz.shapes import as_json, damaged, objects, raw_json, taken_or_refused, trees
from tests.fuzz.sizes import cases
from tests.services import orchards
from tests.transfer.reading import whole

NAME = "first"
FIELDS = [*msgspec.json.schema(Manifest)["$defs"]["Manifest"]["properties"]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good backup, ``good``."""
    root = tmp_path_factory.mktemp("backups")
    store = MemoryStore()
    store.run(namespaced.put("tasks", "題", {"本文": "🍊" * 20}))
    backups.create(store, root, NAME, [AudioFile("a.wav", 5)])
    (root / NAME).rename(root / "good")
    return root


def refused(root: Path, files: dict[str, bytes]) -> str:
    """Why a backup with these files instead of its own is refused; the store stays as it was."""
    shutil.rmtree(root / NAME, ignore_errors=True)
    shutil.copytree(root / "good", root / NAME)
    for name, raw in files.items():
        (root / NAME / name).write_bytes(raw)
    store = MemoryStore()
    store.run(namespaced.put("tasks", "mine", 1))
    _, reason = taken_or_refused(BadBackup, lambda: backups.restore(store, root, NAME, list))
    assert (whole(store) == {"tasks": {"mine": 1}}) == bool(reason)
    assert {path.name for path in root.iterdir()} - {"good", NAME} == set() or not reason
    return reason


@cases(100)
@given(data=st.data())
def test_a_backup_with_any_damage_is_refused(root: Path, data: st.DataObject):
    name = data.draw(st.sampled_from([MANIFEST, STATE, AUDIO]))
    good = (root / "good" / name).read_bytes()
    raw = data.draw(damaged(good))
    changed = _meaning(raw) != _meaning(good) if name == MANIFEST else raw != good
    assert bool(refused(root, {name: raw})) == changed
    for path in root.glob("before-restore-*"):
        shutil.rmtree(path)


def _meaning(raw: bytes) -> object:
    """What a manifest says: white space says nothing."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


manifests = objects(FIELDS) | st.fixed_dictionaries(
    {"format": st.just("orchard-backup"), "version": st.integers(0, 3) | trees()},
    optional={"files": objects([STATE, AUDIO]), "name": trees(), "sha256": trees()},
)
recording = objects(["name", "size", "sha256"])


def _lines(values: list[object]) -> bytes:
    return b"\n".join(map(as_json, values))


@cases(60)
@given(raw=raw_json(manifests))
def test_any_manifest_of_somebody_else_is_refused(root: Path, raw: bytes):
    assert refused(root, {MANIFEST: raw})


@cases(100)
@given(raw=raw_json(recording) | st.lists(trees() | recording).map(_lines))
def test_any_list_of_recordings_is_one_or_refused_though_its_checksum_fits(root: Path, raw: bytes):
    folder = root / NAME
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "good", folder)
    (folder / AUDIO).write_bytes(gzip.compress(raw))
    good = backup_directories.read_manifest(root, NAME)
    (folder / MANIFEST).unlink()
    backup_directories.write_manifest(folder, good)
    found, reason = taken_or_refused(BadBackup, lambda: backups.verify(root, NAME))
    assert found or AUDIO in reason


@pytest.fixture(scope="module")
def fallback(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a fallback has saved: jobs and state."""
    store = MemoryStore()
    before = orchard_engine.use(store)
    orchards.processing()
    store.run(namespaced.put("tasks", "a", 1))
    folder = tmp_path_factory.mktemp("fallback")
    saving.save(store, folder)
    orchard_engine.use(before)
    return folder


def altered(jobs: bytes) -> st.SearchStrategy[bytes]:
    """Jobs, one of which has something else in one of its fields."""
    if not jobs.startswith(b"["):
        return st.just(jobs)
    (job,) = json.loads(jobs)
    paths = st.sampled_from(["/etc/passwd", "../x", "a/../../x", "a\0b", "", "x" * 5000])
    return st.builds(
        lambda name, value: as_json([job | {name: value}]),
        st.sampled_from(sorted(job)),
        paths | trees(),
    )


@cases(100)
@given(data=st.data())
def test_whatever_a_fallback_saved_is_merged_or_refused_whole(fallback: Path, data: st.DataObject):
    name = data.draw(st.sampled_from([kept_back.STATE, kept_back.JOBS]))
    good = (fallback / name).read_bytes()
    store = MemoryStore()
    try:
        (fallback / name).write_bytes(data.draw(damaged(good) | raw_json() | altered(good)))
        report, reason = taken_or_refused(
            BadExport, lambda: merging.merge(store, fallback, dry_run=True)
        )
        assert report or reason
        assert whole(store) == {}
    finally:
        (fallback / name).write_bytes(good)
