"""Sealed files: read from any byte on, and refused when a byte of them is another."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore.sealing.faults import BrokenSeal, MissingKey
from statecore.sealing.files import BLOCK, TAG, open_sealed, plain_size, sealing
from statecore.sealing.key_ring import Key, KeyRing, make_key

KEY = Key("k1", b"1" * 32)
RING = KeyRing(make_key("k0"), KEY)
SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 7]


def sealed(plain: bytes, place: str = "jobs/a/source.wav", key: Key = KEY) -> bytes:
    below = io.BytesIO()
    with sealing(below, key, place) as stream:
        for start in range(0, len(plain), 10_000):
            stream.write(plain[start : start + 10_000])
    return below.getvalue()


def opened(raw: bytes, ring: KeyRing | None = RING, place: str = "jobs/a/source.wav"):
    return open_sealed(io.BytesIO(raw), ring, place)


def some(size: int) -> bytes:
    return bytes(range(251)) * (size // 251) + bytes(size % 251)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_size_opens_as_it_was(size):
    raw = sealed(some(size))
    assert opened(raw).read() == some(size)
    assert plain_size(io.BytesIO(raw), "") == size
    assert opened(raw).seek(0, io.SEEK_END) == size


@given(st.integers(0, 3 * BLOCK + 20), st.integers(0, BLOCK + 20))
def test_any_part_of_a_file_is_read_as_it_was(start, length):
    plain = some(3 * BLOCK + 7)
    stream = opened(WHOLE)
    stream.seek(start)
    assert stream.read(length) == plain[start : start + length]


WHOLE = sealed(some(3 * BLOCK + 7))


@pytest.mark.parametrize(
    "left", [0, 20, 40, BLOCK, BLOCK + 60, len(WHOLE) - 7 - TAG, len(WHOLE) - 1]
)
def test_a_file_that_was_cut_off_is_refused_before_its_first_byte(left):
    if left < 13:  # not even that it is sealed is left
        assert opened(WHOLE[:left]).read() == WHOLE[:left]
        return
    with pytest.raises(BrokenSeal):
        opened(WHOLE[:left])


def test_a_file_cut_off_between_two_blocks_is_refused():
    head = len(WHOLE) - (3 * BLOCK + 7) - 4 * TAG
    for blocks in (1, 2, 3):
        with pytest.raises(BrokenSeal):
            opened(WHOLE[: head + blocks * (BLOCK + TAG)])


def test_blocks_that_were_swapped_are_refused():
    head, one = len(WHOLE) - (3 * BLOCK + 7) - 4 * TAG, BLOCK + TAG
    first, second = WHOLE[head : head + one], WHOLE[head + one : head + 2 * one]
    with pytest.raises(BrokenSeal):
        opened(WHOLE[:head] + second + first + WHOLE[head + 2 * one :]).read()


@given(st.integers(13, len(WHOLE) - 1), st.integers(0, 7))
def test_no_bit_of_a_sealed_file_can_be_changed_unseen(at, bit):
    raw = bytearray(WHOLE)
    raw[at] ^= 1 << bit
    with pytest.raises((BrokenSeal, MissingKey)):
        opened(bytes(raw)).read()


def test_a_file_opens_in_its_own_place_only():
    with pytest.raises(BrokenSeal, match=r"jobs/b/source\.wav"):
        opened(sealed(b"sound"), place="jobs/b/source.wav")


def test_a_missing_key_and_a_key_of_the_same_id_are_told_apart():
    for ring in (None, KeyRing(make_key("k2"))):
        with pytest.raises(MissingKey, match="'k1'"):
            opened(sealed(b"sound"), ring)
    with pytest.raises(BrokenSeal):
        opened(sealed(b"sound"), KeyRing(make_key("k1")))


def test_a_file_that_was_never_sealed_is_read_as_it_is():
    assert opened(b"RIFF").read() == b"RIFF"
    assert opened(b"", None).read() == b""
    assert plain_size(io.BytesIO(b"RIFF"), "") == 4


def test_a_file_whose_writer_died_is_refused():
    below = io.BytesIO()

    def write() -> None:
        with sealing(below, KEY, "a") as stream:
            stream.write(some(2 * BLOCK))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    with pytest.raises(BrokenSeal):
        opened(below.getvalue(), place="a")


def test_the_same_file_sealed_twice_has_nothing_in_common():
    one, other = sealed(some(BLOCK)), sealed(some(BLOCK))
    same = sum(a == b for a, b in zip(one[40:], other[40:], strict=True))
    assert same < len(one) / 50


def test_a_large_file_is_read_in_little_memory(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as below, sealing(below, KEY, "large") as stream:
        for _ in range(320):
            stream.write(some(100_000))
    tracemalloc.start()
    with open_sealed(path.open("rb"), RING, "large") as stream:
        assert sum(map(len, iter(lambda: stream.read(100_000), b""))) == 32_000_000
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2_000_000
