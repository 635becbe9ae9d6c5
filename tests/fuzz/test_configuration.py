"""The configuration file, the environment and engines' addresses: right, or refused in one line."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from orchard.conf import Conf, load_conf
from statecore.configuration import (
    SECTION,
    WrongConfiguration,
    parse_configuration,
    read_configuration,
)
from statecore.store.address_urls import FORMS, OPTIONS, parse_address
from statecore.store.addresses import WrongAddress
from tests.fuzz.shapes import leaves, objects, printable, raw_json, taken_or_refused, texts, trees
from tests.fuzz.sizes import cases

NAMES = [one.name for one in fields(Conf)]
ENVIRONMENT = [one.metadata["env"] for one in fields(Conf)]
values = trees(leaves | st.sampled_from(["redis", "file", "127.0.0.1", 6379, ["h:1", "i:2"]]))
nodes = st.lists(st.sampled_from(["h:1", "h:99999", "[::1]:5"]) | texts, max_size=3)
sentinel = objects(["nodes", "master", "username", "password", "passwordFile"], values | nodes)
redis = st.fixed_dictionaries(
    {"enabled": st.just(True) | values},
    optional={
        "host": texts, "port": st.just(6379) | values, "password": texts, "db": values,
        "username": texts, "passwordFile": texts, "processId": values,
        "sentinel": sentinel | values, "cluster": st.fixed_dictionaries({"nodes": nodes}) | values,
        "tls": objects(["enabled", "ca", "certificate", "key", "checkHostname"]) | values,
    },
)  # fmt: skip
section = st.fixed_dictionaries(
    {"backend": st.just("redis") | values}, optional={"redis": redis | values, "enabled": values}
)
whole = st.fixed_dictionaries(
    {}, optional={SECTION: section | values, "orchard": objects(NAMES, values)}
)
environment = st.dictionaries(
    st.sampled_from(ENVIRONMENT), printable | st.integers().map(str), max_size=4
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conf") / "config.json"


@cases(60)
@given(raw=raw_json(whole))
def test_any_file_is_a_configuration_or_refused(place: Path, raw: bytes):
    place.write_bytes(raw)
    with suppress(WrongConfiguration):
        read_configuration(place)
    with suppress(ImproperlyConfigured):
        assert load_conf({}, place)


@cases(60)
@given(whole=st.fixed_dictionaries({SECTION: section}))
def test_what_a_section_says_is_an_address_that_can_be_read_or_refused(whole: dict):
    with suppress(WrongConfiguration, WrongAddress):
        found = parse_configuration(whole)
        assert parse_address(found.redis_url).nodes


@cases(60)
@given(environ=environment)
def test_any_environment_is_taken_or_refused_by_its_name(environ: dict[str, str]):
    conf, reason = taken_or_refused(
        ImproperlyConfigured, lambda: load_conf(environ, Path("/nowhere/config.json"))
    )
    assert "\n" not in reason
    assert repr(conf) if conf else any(name in reason for name in ENVIRONMENT)


pieces = [
    "h", "h:1", "@", ":", "/", ",", "?", "&", "user:secret@", "mymaster", "5", *OPTIONS,
    *(f"?{option}=" for option in OPTIONS),
]  # fmt: skip
parts = st.lists(texts | st.sampled_from(pieces), max_size=8).map("".join)


@cases(60)
@given(
    url=st.builds("{}://{}".format, st.sampled_from([*FORMS]) | texts, parts) | texts,
    given=st.dictionaries(st.sampled_from(OPTIONS), st.tuples(st.just("ENV"), texts), max_size=3),
)
def test_any_address_of_an_engine_is_one_or_refused_without_its_secrets(url: str, given: dict):
    found, reason = taken_or_refused(
        WrongAddress, lambda: parse_address(url, "ORCHARD_STORE", given)
    )
    assert "secret" not in reason
    assert reason or (found.nodes and 0 <= found.patience_s <= 60)


def test_what_json_can_say_and_no_address_can_hold_is_refused(place: Path):
    whole = {SECTION: {"backend": "redis", "redis": {"enabled": True, "password": "\ud800"}}}
    place.write_text(json.dumps(whole))
    with pytest.raises(ImproperlyConfigured, match="password"):
        load_conf({}, place)
