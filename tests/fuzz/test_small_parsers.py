"""Key rings, cursors, tokens, ranges, addresses of nodes, levels: what is short and often wrong."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.api.authentication import bearer_of, is_bearer
from orchard.byte_ranges import Unsatisfiable, parse_range
from orchard.domain import workers
from orchard.domain.errors import InvalidInput
from orchard.logbook.lines import LEVEL_MAX, parse_level
from orchard.ports.node_addresses import (
    AddressRefused,
    check_address,
    find_addresses,
    parse_networks,
)
from orchard.tokens import forget_bearers
from statecore.legacy_files.times import FIRST_YEAR, LAST_YEAR, parse_time
from statecore.sealing.faults import BadKeyRing
from statecore.sealing.key_ring import KEY_BYTES, make_key, parse_key_ring, read_key_ring
from statecore.store.cursors import make_cursor, parse_cursor
from statecore.store.errors import BadCursor
from tests.fuzz.shapes import damaged, leaves, taken_or_refused, texts
from tests.fuzz.sizes import cases

RING = "\n".join(["# keys", make_key("k1").line(), "", make_key("k2").line()]).encode()
NETWORKS = parse_networks("127.0.0.0/8,10.0.0.0/8,fc00::/7")


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ring") / "ring"
    path.touch(mode=0o600)
    return path


@cases(80)
@given(raw=st.binary(max_size=100) | damaged(RING))
def test_any_file_is_a_key_ring_or_refused_without_its_secrets(ring: Path, raw: bytes):
    ring.write_bytes(raw)
    keys, reason = taken_or_refused(BadKeyRing, lambda: read_key_ring(ring))
    assert (str(ring) in reason) == bool(reason)
    assert a_secret() not in reason
    assert reason or {len(key.secret) for key in keys} == {KEY_BYTES}


def a_secret() -> str:
    """The secret of the first key of the ring, as it stands there."""
    return RING.decode().splitlines()[1].partition(":")[2]


cursors = (
    texts
    | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
    | st.builds(make_cursor, st.text(st.characters(exclude_categories=["Cs"])), st.floats())
)


@cases(80)
@given(text=texts | st.lists(texts).map("\n".join))
def test_any_text_is_a_key_ring_or_refused(text: str):
    with suppress(BadKeyRing):
        assert parse_key_ring(text)


@cases(80)
@given(cursor=cursors)
def test_any_text_is_a_cursor_of_a_page_or_refused(cursor: str):
    with suppress(BadCursor):
        found = parse_cursor(cursor)
        assert found is None or found[0] == found[0]


@pytest.mark.django_db
@cases(80)
@given(header=st.binary(max_size=60) | st.binary(max_size=60).map(lambda raw: b"Bearer " + raw)
       | texts.map(lambda text: f"bEARER {text}".encode("utf-8", "surrogatepass")))  # fmt: skip
def test_no_header_is_a_token_unless_it_was_given_out(header: bytes):
    forget_bearers()
    assert is_bearer(header) in (True, False)
    assert bearer_of(header) is None


@cases(80)
@given(
    header=texts | st.from_regex(r"bytes *=\d{0,20}-\d{0,20}(,\d*-\d*)?", fullmatch=True),
    size=st.integers(0, 2**40),
)
def test_any_range_is_within_the_file_or_none(header: str, size: int):
    with suppress(Unsatisfiable):
        found = parse_range(header, size)
        assert found is None or 0 <= found[0] <= found[1] < size


hostlike = st.from_regex(r"[A-Za-z0-9.\[\]:-]{1,40}", fullmatch=True)
ports = st.sampled_from(["", ":", ":0", ":80", ":65536", ":x"])
addresses = st.ip_addresses().map(str) | st.builds("{}%{}".format, st.ip_addresses(v=6), texts)
bracketed = addresses.map(lambda one: f"[{one}]" if ":" in one else one)


@cases(80)
@given(text=addresses)
def test_any_address_is_one_where_a_node_may_be_or_refused(text: str):
    with suppress(AddressRefused):
        check_address(text, NETWORKS)


@cases(80)
@given(url=texts | st.builds("http://{}".format, texts | addresses | hostlike))
def test_any_url_is_one_of_a_node_in_one_spelling_or_refused(url: str):
    with suppress(InvalidInput):
        found = workers.check_url(url)
        assert workers.check_url(found) == found
        assert workers.worker_url(workers.worker_id(found)) == found


@cases(100)
@given(url=st.builds("http://{}{}".format, bracketed | hostlike, ports))
def test_a_node_is_asked_only_where_it_may_be(url: str):
    with suppress(InvalidInput, AddressRefused, OSError):
        found = asyncio.run(find_addresses(workers.check_url(url), NETWORKS))
        for address in found:
            check_address(address, NETWORKS)


@cases(80)
@given(level=texts | st.integers())
def test_any_level_is_one_or_refused(level: str | int):
    with suppress(ValueError):
        assert 0 <= parse_level(level) <= LEVEL_MAX


dates = st.from_regex(r"\d{4}[年/-]\d{1,2}[月/-]\d{1,2}日? ?(\d{1,2}:\d{1,2})?", fullmatch=True)


@cases(100)
@given(value=leaves | st.floats(1e8, 1e14) | st.datetimes().map(str) | dates)
def test_any_value_is_a_time_of_these_centuries_or_none(value: object):
    found = parse_time(value)
    assert found is None or FIRST_YEAR <= found.year <= LAST_YEAR
