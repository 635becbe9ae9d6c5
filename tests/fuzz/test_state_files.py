"""State directories that older programs have left, and those that this program keeps."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import codec
from statecore.domain.errors import InvalidInput
from statecore.legacy_files import read_directory
from statecore.legacy_files.old_files import OLD_KINDS
from statecore.services import namespaced
from statecore.store.errors import StoreError
from statecore.store.file import FileStore
from statecore.store.file_formats import NotJson, compact, read_entries
from tests.fuzz.shapes import as_json, damaged, objects, raw_json, texts, trees
from tests.fuzz.sizes import cases

RECORD = [
    "status", "issueNumber", "number", "processId", "pid", "startTime", "lastHeartbeat", "host",
    "metadata", "result", "endTime", "taskType", "retryCount",
]  # fmt: skip
numbers = st.sampled_from(["1", "#7", "007", "12345678901234567", "issue-3"]) | texts
statuses = st.sampled_from(["processing", "done", "Completed", "awaiting", "error"])
records = st.builds(lambda status, rest: {**rest, "status": status}, statuses, objects(RECORD))
tables = st.dictionaries(numbers, records | statuses | trees(), max_size=4)
wholes = (
    tables
    | st.fixed_dictionaries({"issues": tables | trees()})
    | st.lists(numbers | st.integers() | records | trees(), max_size=4)
    | trees()
)
names = st.sampled_from(
    [*OLD_KINDS, "unified-issues.json", "unified-tasks.json", "unified-%zz.json"]
)
GOOD = as_json({"1": {"status": "completed", "result": "よし", "n": [1, 2.5, None]}, "k": "v" * 50})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("old")


def fill(folder: Path, files: dict[str, bytes]) -> None:
    """Let a directory hold exactly these files."""
    for path in folder.iterdir():
        path.unlink()
    for name, raw in files.items():
        (folder / name).write_bytes(raw)


@cases(80)
@given(files=st.dictionaries(names, raw_json(wholes) | damaged(GOOD), max_size=3))
def test_any_old_directory_is_read_and_what_is_damaged_is_told(folder: Path, files):
    fill(folder, files)
    plan = read_directory(folder)
    assert {one.file for one in plan.files} == set(files)
    for one in plan.files:
        assert bool(one.damaged) != bool(one.sha256)
    for entry in plan.entries:
        codec.decode_json(entry.raw) if entry.namespace == "issues" else compact(entry.raw)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


@cases(80)
@given(raw=raw_json(wholes) | damaged(GOOD))
def test_any_bytes_are_entries_of_a_state_file_or_no_json(raw: bytes):
    with suppress(NotJson):
        for value in read_entries(raw).values():
            assert compact(value) == value


@cases(80)
@given(raw=raw_json() | damaged(GOOD))
def test_any_bytes_are_a_value_that_comes_back_as_it_was_or_refused(raw: bytes):
    with suppress(InvalidInput):
        value = codec.decode_json(raw)
        assert codec.decode_json(codec.encode_json(value)) == value


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a state directory that is in use."""
    folder = tmp_path_factory.mktemp("kept")
    store = FileStore(folder)
    store.run(namespaced.put("tasks", "題", {"本文": "🍊", "n": [1, 2.5, None]}))
    store.run(namespaced.put("issues", "7", {"status": "completed"}))
    store.close()
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@cases(30, share=0.1)
@given(data=st.data())
def test_a_directory_with_any_damage_opens_or_says_why(kept, folder: Path, data: st.DataObject):
    name = data.draw(st.sampled_from(sorted(kept)))
    fill(folder, kept | {name: data.draw(damaged(kept[name]) | raw_json())})
    with suppress(StoreError):
        store = FileStore(folder)
        store.run(namespaced.put("tasks", "new", 1))
        store.close()
        again = FileStore(folder)
        assert again.run(namespaced.get("tasks", "new"))
        again.close()
