"""The key ring: a private file, refused when it is not, and never shown."""

from __future__ import annotations

import os
import stat
import time

import pytest

from statecore.sealing.faults import BadKeyRing
from statecore.sealing.key_ring import (
    LOOK_EVERY_S,
    Key,
    KeyRing,
    RingFile,
    make_key,
    parse_key_ring,
    read_key_ring,
    write_key_ring,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ring"


def test_a_ring_is_read_as_it_was_written_and_only_its_owner_reads_it(path):
    keys = make_key("new"), make_key("old")
    write_key_ring(path, keys)
    assert read_key_ring(path) == keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["ring"]


def test_the_first_key_seals_and_every_key_is_found():
    one, other = make_key("one"), make_key("other")
    ring = KeyRing(one, other)
    assert ring.first == one
    assert (ring.find("other"), ring.find("third")) == (other, None)


def test_remarks_and_empty_lines_count_for_nothing():
    key = make_key("k")
    assert parse_key_ring(f"# of the site\n\n  {key.line()}  \n") == (key,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no key"),
        ("# nothing\n", "has no key"),
        ("k1\n", "line 1: is no id:base64"),
        ("k1:c2hvcnQ=\n", "line 1: is no id:base64"),
        ("k1:????\n", "line 1: is no id:base64"),
        ("k 1:" + "A" * 43 + "=\n", "line 1: is no id:base64"),
        ("k" * 33 + ":" + "A" * 43 + "=\n", "line 1: is no id:base64"),
        ("k1:" + "A" * 43 + "=\nk1:" + "A" * 43 + "=\n", "line 2: the id 'k1' stands there twice"),
    ],
)
def test_what_is_no_ring_is_refused_and_the_line_is_named(path, text, why):
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadKeyRing, match=why) as refusal:
        read_key_ring(path)
    assert str(path) in str(refusal.value)
    assert "AAAA" not in str(refusal.value)


def test_a_ring_that_is_missing_or_no_file_is_refused(path):
    with pytest.raises(BadKeyRing, match="No such file"):
        read_key_ring(path)
    with pytest.raises(BadKeyRing, match="Is a directory"):
        read_key_ring(path.parent)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_ring_that_others_can_read_or_write_is_refused(path, mode):
    write_key_ring(path, (make_key(),))
    path.chmod(mode)
    with pytest.raises(BadKeyRing, match="others can read it"):
        read_key_ring(path)


def test_bytes_that_are_no_text_are_refused(path):
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(BadKeyRing, match="is no text"):
        read_key_ring(path)


def test_a_key_is_never_shown_in_what_is_printed_of_it():
    key = make_key("k1")
    secret = key.line().split(":")[1]
    assert secret not in repr(key)
    assert repr(key.secret) not in repr(key)


def test_keys_of_two_purposes_or_salts_have_nothing_in_common():
    key = Key("k", bytes(32))
    derived = {key.derive(b"a", 32), key.derive(b"b", 32), key.derive(b"a", 32, b"salt")}
    assert len(derived) == 3


def test_a_new_key_is_seen_without_a_restart_and_an_unknown_one_at_once(path):
    old, new = make_key("old"), make_key("new")
    write_key_ring(path, (old,))
    ring = RingFile(path)
    write_key_ring(path, (new, old))
    assert ring.find("new") == new
    assert ring.first == new


def test_a_changed_file_is_looked_at_when_its_time_has_come(path, monkeypatch):
    old, new = make_key("old"), make_key("new")
    write_key_ring(path, (old,))
    ring = RingFile(path)
    write_key_ring(path, (new, old))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + LOOK_EVERY_S + 1)
    assert ring.first == new


def test_a_ring_that_breaks_while_it_is_in_use_stays_as_it_was(path, caplog):
    key = make_key("k1")
    write_key_ring(path, (key,))
    ring = RingFile(path)
    path.write_text("k1:nonsense")
    assert ring.find("k2") is None
    assert ring.keys == (key,)
    assert "the key ring stays as it was" in caplog.text
    assert "nonsense" not in caplog.text


def test_an_id_that_is_none_is_refused():
    with pytest.raises(BadKeyRing, match="is no id"):
        make_key("a:b")
