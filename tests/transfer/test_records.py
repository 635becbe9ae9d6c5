"""Records, times and files as older programs have left them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import codec
from statecore.legacy_files import read_directory
from statecore.legacy_files.records import clean_number, clean_record
from statecore.legacy_files.times import parse_time
from tests.transfer.directories import write

MOMENT = datetime(2025, 6, 23, 15, 13, 59, tzinfo=UTC)


@pytest.mark.parametrize("written", [
    "2025-06-23T15:13:59Z", "2025-06-23T15:13:59.000Z", "2025-06-23T15:13:59+00:00",
    "2025-06-24T00:13:59+0900", "2025-06-24 00:13:59+09:00", "20250623T151359Z",
    1750691639, 1750691639000, "1750691639000", 1750691639.0, " 2025-06-23T15:13:59Z ",
    "Tue Jun 24 2025 00:13:59 GMT+0900 (Japan Standard Time)",
    "Mon, 23 Jun 2025 15:13:59 GMT", "Mon, 23 Jun 2025 15:13:59 +0000",
])  # fmt: skip
def test_a_moment_is_read_in_every_form(written):
    assert parse_time(written) == MOMENT


@pytest.mark.parametrize("written", ["2025-06-23T15:13:59", "2025/6/23 15:13:59",
                                     "2025年6月23日 15:13:59"])  # fmt: skip
def test_a_time_without_a_zone_says_so(written):
    assert parse_time(written) == MOMENT.replace(tzinfo=None)


@pytest.mark.parametrize("written", [
    "", "yesterday", "きのう", None, True, [], {}, -1, 0, 1, 10**30, float("nan"), float("inf"),
    "2025-13-45", "9999-12-31T23:59:59-23:59", "nan", "Mon Foo 99 2025 00:00:00 GMT+0900",
])  # fmt: skip
def test_what_is_no_time_is_none(written):
    assert parse_time(written) is None


@given(st.datetimes(datetime(2001, 1, 1), datetime(2199, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_milliseconds_survive_each_way_of_writing(naive, minutes):
    at = naive.replace(microsecond=naive.microsecond // 1000 * 1000,
                       tzinfo=timezone(timedelta(minutes=minutes)))  # fmt: skip
    epoch_ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    for written in (codec.iso(at), epoch_ms, str(epoch_ms), at.isoformat()):
        assert parse_time(written) == at


@pytest.mark.parametrize(
    ("key", "number"),
    [("34", "34"), ("#34", "34"), (" 0034 ", "34"), (34, "34"), ("0", None), ("-1", None),
     ("３４", None), (True, None), (3.0, None), ("34a", None), (2**60, None), ("9" * 99, None)],
)  # fmt: skip
def test_numbers_of_issues(key, number):
    assert clean_number(key) == number


def test_a_record_in_the_form_of_the_contract_stays_as_it_is():
    record = {
        "status": "processing", "processId": "p", "pid": 1, "startTime": "2025-06-23T15:13:59.243Z",
        "lastHeartbeat": "2025-06-23T15:13:59.243123+09:00", "taskType": None, "metadata": {},
        "extra": ["題"],
    }  # fmt: skip
    assert clean_record(record) == (record, ())


def test_what_can_be_understood_is_put_right():
    cleaned = clean_record({
        "status": "In Progress", "processId": 77, "pid": "4711", "startTime": 1750691639000,
        "lastHeartbeat": "2025/6/23 15:13:59", "extra": 1,
    })  # fmt: skip
    assert cleaned.record == {
        "status": "processing", "processId": "77", "pid": 4711, "extra": 1,
        "startTime": "2025-06-23T15:13:59.000Z", "lastHeartbeat": "2025-06-23T15:13:59.000Z",
    }  # fmt: skip
    assert len(cleaned.notes) == 2


def test_what_cannot_be_understood_is_kept_and_told_of():
    odd = {"status": "混乱", "pid": -5, "startTime": "きのう", "metadata": [1], "host": {"a": 1}}
    cleaned = clean_record(odd)
    assert cleaned.record["unread"] == odd
    assert cleaned.record["status"] == "pending"
    assert any("unread" in note for note in cleaned.notes)


def test_cleaning_twice_is_cleaning_once():
    once = clean_record({"status": 5, "pid": "x", "unread": {"before": 1}}).record
    assert once["unread"] == {"before": 1, "status": 5, "pid": "x"}
    assert clean_record(once).record == once


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
names = st.sampled_from([
    "status", "processId", "pid", "startTime", "lastHeartbeat", "taskType", "endTime", "metadata",
    "lastUpdated", "result", "checkedOutBy", "host", "token", "ttlMs", "leaseUntil", "unread",
])  # fmt: skip


@given(st.dictionaries(names | st.text(max_size=3), any_json | st.just("processing")))
def test_any_record_becomes_one_and_loses_nothing(record):
    cleaned = clean_record(record).record
    codec.decode_record(1, codec.encode_json(cleaned))
    kept = json.dumps(cleaned, sort_keys=True)
    for name, value in record.items():
        if name != "unread" and cleaned.get(name) != value and isinstance(value, list | dict):
            assert json.dumps(value, sort_keys=True) in kept
    assert clean_record(cleaned).record == cleaned


GOOD = {"tasks": {"a": 1}}
DAMAGE = {
    "cut off": b'{"a": {"b": "\xe3\x81',
    "bytes that are no text": b'{"a": "\xff"}',
    "another type": b"[1, 2]",
    "null": b"null",
    "a key twice": b'{"a": 1, "a": 2}',
    "empty": b"",
    "blank": b" \n",
    "no number": b'{"a": NaN}',
    "deep": b"[" * 100_000,
    "more after the end": b"{} {}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
}
FILES = ["unified-tasks.json", "unified-issues.json", "issue-status.json", "running-tasks.json",
         "processed-comments.json", "last-run.json"]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_told_of_and_the_others_go_on(tmp_path, name, damage):
    write(tmp_path / "unified-agents.json", {"fine": True})
    (tmp_path / name).write_bytes(DAMAGE[damage])
    plan = read_directory(tmp_path)
    told = {one.file: one.damaged for one in plan.files}
    assert told[name]
    assert not told["unified-agents.json"]
    assert [(one.namespace, one.key) for one in plan.entries] == [("agents", "fine")]
    assert (tmp_path / name).read_bytes() == DAMAGE[damage]


@pytest.mark.parametrize("name", ["processed-issues.json", "pending-tasks.json"])
@pytest.mark.parametrize("data", [b"{}", b"5", b"[1,", b'"x"'])
def test_a_list_must_be_one(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert [bool(one.damaged) for one in read_directory(tmp_path).files] == [True]


@pytest.mark.parametrize("name", FILES[:5])
def test_a_byte_order_mark_is_passed_over(tmp_path, name):
    text = '{"issues": {"34": {"status": "error"}}}' if name == FILES[2] else '{"34": {}}'
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    plan = read_directory(tmp_path)
    assert not plan.files[0].damaged
    assert [one.key for one in plan.entries] == ["34"]


def test_values_of_unified_files_keep_every_digit(tmp_path):
    text = '{"n": 12345678901234567890.123456789012345678901234567890, "e": 1e999}'
    (tmp_path / "unified-config.json").write_text(text)
    assert [one.raw for one in read_directory(tmp_path).entries] == [
        b"12345678901234567890.123456789012345678901234567890", b"1e999",
    ]  # fmt: skip


def test_one_issue_by_two_keys_is_told_of(tmp_path):
    write(tmp_path / "unified-issues.json", {"#34": {"status": "error"}, "34": {"status": "done"}})
    plan = read_directory(tmp_path)
    assert [json.loads(one.raw)["status"] for one in plan.entries] == ["completed"]
    assert [note.what for note in plan.notes if note.is_refused] == ["stands in the file twice"]


def test_other_files_are_named_and_left(tmp_path):
    write(tmp_path / "notes.json", {})
    write(tmp_path / "unified-a.json.backup", {})
    plan = read_directory(tmp_path)
    assert (plan.unknown, plan.files) == (("notes.json",), ())
