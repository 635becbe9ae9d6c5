"""Files that are no good export: a clear refusal, and nothing changed."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore.domain.issues import Holder
from statecore.ports.export_format import BadExport, NewerExport
from statecore.repository import Limits
from statecore.services import checkouts, namespaced, processes, transfer
from statecore.services.imports import Mode, check_export, import_export
from statecore.store.memory import MemoryStore
from tests.fuzz.sizes import cases
from tests.state.conftest import use
from tests.transfer.reading import whole


def sealed(text: str) -> bytes:
    """A document with the checksum that fits, whatever it says."""
    body = text.encode("utf-8", "surrogateescape")
    return body + b'"sha256": "%s"\n}\n' % hashlib.sha256(body).hexdigest().encode()


def document(entries: str = "", *, version: str = "1", counts: str | None = None) -> bytes:
    """An export with these lines in its namespaces."""
    count = counts if counts is not None else json.dumps({})
    return sealed(
        f'{{\n"format": "orchard-state",\n"version": {version},\n"exportedAt": "2026",\n'
        f'"source": "redis",\n"namespaces": {{\n{entries}}},\n"counts": {count},\n'
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> bytes:
    """An export with something in each of its parts."""
    store = MemoryStore()
    store.run(processes.register("p", pid=1))
    store.run(checkouts.check_out(34, Holder(process_id="p")))
    store.run(namespaced.put("tasks", "キー", {"本文": "長い文章🍊" * 20, "n": [1, 2.5, None]}))
    path = tmp_path_factory.mktemp("good") / "a.json"
    with path.open("wb") as stream:
        transfer.export(store, stream)
    return path.read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("bad") / "bad.json"


def refuse(path, data: bytes) -> str:
    """Why a file is refused; the store is as it was before."""
    path.write_bytes(data)
    store = MemoryStore()
    use(store)
    store.run(namespaced.put("tasks", "mine", 1))
    for mode in Mode:
        with pytest.raises(BadExport) as refusal:
            import_export(store, path, mode)
    assert whole(store) == {"tasks": {"mine": 1}}
    assert str(refusal.value)
    return str(refusal.value)


ENTRY = '"tasks": {\n"a": 1,\n"b": 2\n}\n'
WRONG = {
    "nothing": (b"", "cut off"),
    "text": (b"hello", "no export"),
    "another document": (b'{\n"a": 1\n}\n', "no export"),
    "another format": (b'{\n"format": "png",\n"version": 1\n}\n', "'png'"),
    "no version": (document(version='"one"'), "no version"),
    "a negative version": (document(version="-1"), "no version"),
    "true as a version": (document(version="true"), "no version"),
    "a newer version": (document(version="2"), "version 2.*reads up to version 1"),
    "a key twice": (document('"tasks": {\n"a": 1,\n"a": 2\n}\n'), "'a' stands there twice"),
    "a namespace twice": (
        document('"tasks": {\n"a": 1\n},\n"tasks": {\n"b": 1\n}\n'), "'tasks' stands there twice"
    ),
    "a key twice in a value": (document('"tasks": {\n"a": {"x":1,"x":2}\n}\n'), "twice"),
    "no such namespace": (document('"a:b": {\n"a": 1\n}\n'), "must not contain :"),
    "an empty key": (document('"tasks": {\n"": 1\n}\n'), "must not be empty"),
    "a control character": (document('"tasks": {\n"a\\u0000": 1\n}\n'), "control"),
    "a long key": (document(f'"tasks": {{\n"{"k" * 1001}": 1\n}}\n'), "longer than"),
    "a large value": (document(f'"tasks": {{\n"k": "{"v" * 1_000_000}"\n}}\n'), "at most 1000000"),
    "a deep value": (document(f'"tasks": {{\n"k": {"[" * 101}{"]" * 101}\n}}\n'), "deeper"),
    "a very deep value": (document(f'"tasks": {{\n"k": {"[" * 99999}\n}}\n'), "line 8"),
    "not a number": (document('"tasks": {\n"k": NaN\n}\n'), "no number of JSON"),
    "no value": (document('"tasks": {\n"k": \n}\n'), "line 8"),
    "no name": (document('"tasks": {\n17: 1\n}\n'), "line 8: a name"),
    "no namespace": (document('"k": 1\n'), "must be an object"),
    "an object too deep": (document('"tasks": {\n"k": {\n"a": 1\n}\n}\n'), "does not belong"),
    "an unknown part": (document('},\n"more": {\n'), "does not belong"),
    "an unknown word": (document('},\n"more": 1,\n"damaged": {\n'), "nothing that an export says"),
    "the end too early": (document('}\n}\n'), "line"),
    "wrong counts": (document(ENTRY, counts='{"entries": 3}'), "holds"),
    "no counts": (document(ENTRY, counts="null"), "holds"),
    "no issue": (document('"issues": {\n"34": []\n}\n'), "must be an object"),
    "no status": (document('"issues": {\n"34": {"status": "odd"}\n}\n'), "issues/34"),
    "no holder": (document('"issues": {\n"34": {"status": "processing"}\n}\n'), "processId"),
    "no process": (document('},\n"processes": {\n"p": {"pid": 1}\n'), "object of texts"),
    "no request": (document('},\n"labelRequests": {\n"r": {"issue": "x"}\n'), "label request"),
    "no history": (document('},\n"issueHistory": {\n"1": [{"name": "x"}]\n'), "list of events"),
    "no issue's history": (document('},\n"issueHistory": {\n"x": []\n'), "whole number"),
    "no metadata": (document('},\n"issueMetadata": {\n"1": 5\n'), "object of texts"),
    "bytes that are no text": (document('"tasks": {\n"k": "\udcff"\n}\n'), "line 8"),
    "half a packed file": (gzip.compress(document(ENTRY))[:-9], "cut off"),
    "a packed nothing": (gzip.compress(b""), "cut off"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_its_reason(place, name):
    data, reason = WRONG[name]
    assert re.search(reason, refuse(place, data))


def test_what_is_sealed_and_right_is_taken(place):
    place.write_bytes(document(ENTRY, counts='{"entries": 2}'))
    store = MemoryStore()
    import_export(store, place)
    assert whole(store) == {"tasks": {"a": 1, "b": 2}}


def test_a_newer_version_is_told_apart_from_damage(place):
    place.write_bytes(document(version="99").replace(b"source", b"spring"))
    with pytest.raises(NewerExport):
        check_export(place)


def test_a_value_over_the_limit_of_this_site_is_refused(place, good):
    place.write_bytes(good)
    store = MemoryStore()
    use(store, Limits(value_max_bytes=50))
    with pytest.raises(BadExport, match="at most 50"):
        import_export(store, place)


many = cases(150)


@many
@given(st.data())
def test_a_file_that_is_cut_anywhere_is_refused(place, good, data):
    refuse(place, good[: data.draw(st.integers(0, len(good) - 1))])


@many
@given(st.data())
def test_a_file_with_any_altered_byte_is_refused(place, good, data):
    at = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != good[at]))
    refuse(place, good[:at] + bytes([byte]) + good[at + 1 :])


@many
@given(st.data())
def test_a_packed_file_that_is_cut_or_altered_never_changes_anything(place, good, data):
    packed = gzip.compress(good, mtime=0)
    at = data.draw(st.integers(10, len(packed) - 1))
    if data.draw(st.booleans()):
        refuse(place, packed[:at])
    else:
        refuse(place, packed[:at] + bytes([packed[at] ^ data.draw(st.integers(1, 255))])
               + packed[at + 1 :])  # fmt: skip


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@many
@given(
    namespace=st.text(min_size=1, max_size=5) | st.sampled_from(["issues", "tasks"]),
    key=st.text(max_size=5) | st.sampled_from(["34", "0034"]),
    value=values | st.fixed_dictionaries({"status": values, "pid": values, "startTime": values}),
)
def test_any_entry_is_taken_whole_or_refused(place, namespace, key, value):
    entry = f"{json.dumps(namespace)}: {{\n{json.dumps(key)}: {json.dumps(value)}\n}}\n"
    place.write_bytes(document(entry, counts='{"entries": 1}'))
    store = MemoryStore()
    use(store)
    try:
        import_export(store, place)
    except BadExport:
        assert whole(store) == {}
    else:
        assert whole(store) == {namespace: {key: value}}


@many
@given(lines=st.lists(st.sampled_from([
    "{", "}", "},", '"a": {', '"a": 1', '"a": 1,', '"namespaces": {', '"damaged": {', "[", "",
    '"processes": {', '"p": {}', '"1": []', '"issueHistory": {', '"counts": {}', "\u3042",
])))  # fmt: skip
def test_any_order_of_lines_is_taken_or_refused(place, lines):
    place.write_bytes(document("\n".join(lines) + "\n" if lines else ""))
    with contextlib.suppress(BadExport):
        assert check_export(place).counts.get("entries", 0) <= len(lines)
