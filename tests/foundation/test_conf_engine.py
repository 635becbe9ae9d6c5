"""How the engine is reached, by settings alone: every form, and every mistake in one line."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ImproperlyConfigured

from orchard.cache_settings import cache_settings
from orchard.conf import load_conf
from orchard.conf_engine import engine_address
from statecore.store.addresses import Durability, Login, Node, Topology


def address(tmp_path, **environ):
    return engine_address(load_conf(environ, tmp_path / "none"))


def refusal(environ, path):
    with pytest.raises(ImproperlyConfigured) as refused:
        load_conf(environ, path)
    text = str(refused.value)
    assert "\n" not in text
    assert "pa55word" not in text
    return text


def test_sentinels_are_named_by_a_url_and_what_is_beside_it(tmp_path):
    (tmp_path / "password").write_text("pa55word\n")
    found = address(
        tmp_path, ORCHARD_STORE="redis+sentinel://me@s1:1,s2/main/3",
        ORCHARD_STORE_PASSWORD_FILE=str(tmp_path / "password"),
        ORCHARD_SENTINEL_USERNAME="watch", ORCHARD_SENTINEL_PASSWORD="pa55word2",
        ORCHARD_DURABILITY="replicated", ORCHARD_FAILOVER_WAIT_S="2",
    )  # fmt: skip
    assert found.topology is Topology.SENTINEL
    assert found.nodes == (Node("s1", 1), Node("s2", 26379))
    assert (found.master, found.database, found.patience_s) == ("main", 3, 2.0)
    assert found.login == Login("me", "pa55word")
    assert found.sentinel_login == Login("watch", "pa55word2")
    assert found.durability is Durability.REPLICATED
    assert "pa55word" not in f"{found!r} {found}"


def test_a_cluster_is_named_by_some_of_its_nodes(tmp_path):
    found = address(tmp_path, ORCHARD_STORE="redis+cluster://a:1,[::1]:2")
    assert found.topology is Topology.CLUSTER
    assert found.nodes == (Node("a", 1), Node("::1", 2))


def test_an_engine_of_our_own_has_no_address(tmp_path):
    assert address(tmp_path) is None


SENTINEL = {"sentinel": {"nodes": ["s1:1", "s2:2"], "master": "main", "password": "pa55word"}}
CLUSTER = {"cluster": {"nodes": ["c1:1", "c2:2"]}}


def section(tmp_path, **redis):
    path = tmp_path / "config.json"
    whole = {"backend": "redis", "redis": {"enabled": True, **redis}}
    path.write_text(json.dumps({"unifiedStateManagement": whole}))
    return path


def test_the_file_names_sentinels_and_clusters_too(tmp_path):
    found = engine_address(load_conf({}, section(tmp_path, password="p", db=2, **SENTINEL)))
    assert (found.topology, found.master, found.database) == (Topology.SENTINEL, "main", 2)
    assert (found.login, found.sentinel_login) == (Login("", "p"), Login("", "pa55word"))
    found = engine_address(load_conf({}, section(tmp_path, **CLUSTER, tls={})))
    assert (found.topology, found.nodes[0]) == (Topology.CLUSTER, Node("c1", 1))
    assert found.tls is not None


@pytest.mark.parametrize(
    ("redis", "said"),
    [
        (SENTINEL | CLUSTER, "redis.cluster is set and so is "),
        (CLUSTER | {"db": 1}, "redis.db is 1; allowed: 0"),
        ({"sentinel": {"nodes": ["s:1"]}}, "redis.sentinel.master is None; allowed: the name"),
        ({"sentinel": {"nodes": [], "master": "m"}}, "redis.sentinel.nodes is []; allowed: a list"),
        ({"cluster": {"nods": []}}, "did you mean nodes?"),
        ({"tls": {"ca": "/none"}}, "'/none' (No such file or directory); allowed: a file of"),
        ({"passwordFile": "/none"}, "'/none' (No such file or directory); allowed: a file with"),
    ],
)
def test_a_mistake_in_the_file_is_told_by_its_key(tmp_path, redis, said):
    path = section(tmp_path, **redis)
    text = refusal({}, path)
    assert text.startswith(f"{path}: unifiedStateManagement.redis")
    assert said in text


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"ORCHARD_STORE": "redis+cluster://h/1"}, "ORCHARD_STORE has the database 1; allowed: 0"),
        ({"ORCHARD_STORE": "redis+sentinel://h"}, "ORCHARD_STORE names no master; allowed: "),
        ({"ORCHARD_STORE": "redis://a,b"}, "ORCHARD_STORE names 2 servers; allowed: one"),
        ({"ORCHARD_STORE": "redis://h?dbb=1"}, "has the option 'dbb'; allowed: db, "),
        ({"ORCHARD_STORE": "redis://h/x"}, "has the database 'x'; allowed: a whole number"),
        (
            {"ORCHARD_STORE": "redis://h", "ORCHARD_STORE_CA": "/ca"},
            "ORCHARD_STORE_CA is set; allowed: nothing, as ORCHARD_STORE is redis://",
        ),
        (
            {"ORCHARD_STORE": "redis+cluster://h", "ORCHARD_SENTINEL_PASSWORD": "pa55word"},
            "ORCHARD_SENTINEL_PASSWORD is set; allowed: nothing, as there are no sentinels",
        ),
        (
            {"ORCHARD_STORE": "redis://:pa55word@h", "ORCHARD_STORE_PASSWORD": "pa55word"},
            "ORCHARD_STORE_PASSWORD is set and so is ORCHARD_STORE; allowed: one",
        ),
        (
            {"ORCHARD_STORE": "redis://h", "ORCHARD_STORE_PASSWORD_FILE": "/none"},
            "ORCHARD_STORE_PASSWORD_FILE is '/none' (No such file or directory); allowed: ",
        ),
        (
            {"ORCHARD_STORE": "rediss://h", "ORCHARD_STORE_CA": "/etc/passwd"},
            "ORCHARD_STORE_CA is '/etc/passwd' (",
        ),
        (
            {"ORCHARD_STORE": "rediss://h", "ORCHARD_STORE_KEY": "/key"},
            "ORCHARD_STORE_KEY is set alone; allowed: a certificate and its key",
        ),
        (
            {"ORCHARD_STORE": "redis://h", "ORCHARD_STORE_USERNAME": "me"},
            "ORCHARD_STORE_USERNAME names a user; allowed: with a password",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path, environ, said):
    assert said in refusal(environ, tmp_path / "none")


def test_a_password_file_of_many_lines_is_refused(tmp_path):
    (tmp_path / "password").write_text("pa55word\nand more")
    environ = {"ORCHARD_STORE": "redis://h", "ORCHARD_STORE_PASSWORD_FILE": f"{tmp_path}/password"}
    assert "in one line" in refusal(environ, tmp_path / "none")


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("redis://:p@h:1/3", "redis://h:1/1"),
        ("rediss://h", "rediss://h:6379/1"),
        ("unix:///sock", "unix:///sock?db=1"),
        ("redis+sentinel://s1:1,s2:2/main", "redis://main/1"),
        ("redis+cluster://h", None),
        ("memory://", None),
    ],
)
def test_the_cache_is_beside_the_state(tmp_path, url, location):
    conf = load_conf({"ORCHARD_STORE": url}, tmp_path / "none")
    assert cache_settings(conf, tmp_path).get("LOCATION") == location
