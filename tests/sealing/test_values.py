"""Sealed values: open with their key in their place, and nowhere else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore.sealing.faults import BrokenSeal, MissingKey
from statecore.sealing.key_ring import Key, KeyRing, make_key
from statecore.sealing.values import is_sealed, key_id_of, seal, unseal

KEY, OTHER = Key("k1", b"1" * 32), Key("k2", b"2" * 32)
RING = KeyRing(KEY, OTHER)
names = st.text(st.characters(codec="utf-8"), max_size=30)
places = st.tuples(names) | st.tuples(names, names)


@given(places, st.binary(max_size=2000), st.sampled_from([KEY, OTHER]))
def test_what_was_sealed_opens_again_as_it_was(place, plain, key):
    sealed = seal(key, place, plain)
    assert is_sealed(sealed)
    assert key_id_of(sealed) == key.id
    assert unseal(RING, place, sealed) == plain


@given(places, places, st.binary(max_size=50))
def test_a_value_opens_in_its_own_place_only(place, other, plain):
    sealed = seal(KEY, place, plain)
    if other != place:
        with pytest.raises(BrokenSeal):
            unseal(RING, other, sealed)


@given(st.binary(max_size=200), st.data())
def test_no_bit_of_a_sealed_value_can_be_changed_unseen(plain, data):
    sealed = bytearray(seal(KEY, ("a", "b"), plain))
    at = data.draw(st.integers(8, len(sealed) - 1))  # before it stands that it is sealed
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((BrokenSeal, MissingKey)):
        unseal(RING, ("a", "b"), bytes(sealed))


@given(st.binary(max_size=200), st.data())
def test_a_value_that_was_cut_off_does_not_open(plain, data):
    sealed = seal(KEY, ("a",), plain)
    cut = sealed[: data.draw(st.integers(8, len(sealed) - 1))]
    with pytest.raises((BrokenSeal, MissingKey)):
        unseal(RING, ("a",), cut)


def test_the_same_value_in_the_same_place_gives_the_same_bytes_and_elsewhere_others():
    assert seal(KEY, ("a", "b"), b"v") == seal(KEY, ("a", "b"), b"v")
    places = [("a", "b"), ("ab",), ("a", ""), ("", "a"), ("a",), ("b", "a")]
    assert len({seal(KEY, place, b"v") for place in places}) == len(places)


def test_a_missing_key_and_a_key_of_the_same_id_are_told_apart():
    sealed = seal(KEY, ("a",), b"v")
    with pytest.raises(MissingKey, match="'k1'"):
        unseal(KeyRing(OTHER), ("a",), sealed)
    with pytest.raises(MissingKey, match="'k1'"):
        unseal(None, ("a",), sealed)
    with pytest.raises(BrokenSeal, match="another key of the same id"):
        unseal(KeyRing(make_key("k1")), ("a",), sealed)


@given(st.binary(max_size=100).filter(lambda raw: not is_sealed(raw)))
def test_what_was_never_sealed_is_read_as_it_is(raw):
    assert unseal(RING, ("a",), raw) == raw
    assert unseal(None, ("a",), raw) == raw


def test_many_threads_seal_with_one_key():
    def once(number: int) -> bool:
        plain = b"%d" % number * 50
        return unseal(RING, (str(number),), seal(KEY, (str(number),), plain)) == plain

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(once, range(2000)))
