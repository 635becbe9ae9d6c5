"""Who may work with the state in an engine: at start, and while it runs."""

from __future__ import annotations

import io
import json
import logging
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from orchard import conf, keys
from orchard.doctor import schema as schema_troubles
from orchard.management.opening import open_engine
from orchard.services import EngineAway, arun, counts, engine, queries, run, upgrading
from orchard.upgrades import RELEASE
from orchard.web.engine_tiles import version_tile
from statecore.factory import StateManagerFactory
from statecore.store import ops, schema
from statecore.store.memory import MemoryStore
from statecore.store.schema import Gate, Release, Schema, Upgrading, WrongSchema, read_schema
from tests.services import orchards

OURS = Release("1.0", 4, 3)


def gate_of(store, release=OURS, used=False):
    return Gate(store, keys.SCHEMA, release, lambda: used)


def say(store, found):
    raw = found if isinstance(found, bytes) else json.dumps(found).encode()
    store.commit({}, [ops.Set(keys.SCHEMA, raw)])


@pytest.fixture
def at_once(monkeypatch):
    """A process that looks before each request."""
    monkeypatch.setattr(schema, "LOOK_EVERY_S", 0.0)


def test_an_empty_engine_is_of_our_version_from_the_beginning():
    store = MemoryStore()
    assert gate_of(store).settle() == Schema(version=4, release="1.0")
    assert gate_of(store, Release("0.9", 3, 2)).settle().version == 4


def test_state_from_before_versions_is_of_the_first():
    store = MemoryStore()
    assert gate_of(store, used=True).settle() == Schema(version=1)


def test_an_engine_that_was_emptied_under_a_process_is_of_the_version_it_had():
    store = MemoryStore()
    gate = gate_of(store, used=True)
    say(store, {"version": 3, "release": "0.9"})
    gate.settle()
    store.commit({}, [ops.Delete((keys.SCHEMA,))])
    assert gate.settle().version == 3


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Schema(version=4), ""),
        (Schema(version=3), ""),
        (Schema(version=3, upgrading=Upgrading(to=4, step=4)), ""),
        (Schema(version=5, release="2.0"),
         r"of version 5, by release 2\.0, .*\(1\.0\) knows versions up to 4: install the newer"),
        (Schema(version=4, upgrading=Upgrading(to=5, step=5)), "version 5, .* up to 4: install"),
        (Schema(version=2), r"of version 2, .* reads versions 3 to 4: run `manage\.py upgrade`"),
    ],
)  # fmt: skip
async def test_a_release_works_with_its_version_and_the_one_before(found, why, at_once):
    store = MemoryStore()
    schema.write_schema(store, keys.SCHEMA, None, found)
    gate = gate_of(store)
    if not why:
        gate.check()
        await gate.acheck()
        return
    with pytest.raises(WrongSchema, match=why):
        gate.check()
    with pytest.raises(WrongSchema, match=why):
        await gate.acheck()


@pytest.mark.parametrize("raw", [b"{", b"3", b'{"release":"x"}', b'{"version":"two"}', b"\xff"])
def test_what_no_release_has_written_is_refused_with_its_name(raw, at_once):
    store = MemoryStore()
    say(store, raw)
    with pytest.raises(WrongSchema, match="the key 'schema' of the engine holds nothing"):
        gate_of(store).check()


def test_a_key_of_another_type_is_refused_as_well(redis_store, at_once):
    redis_store.commit({}, [ops.HashSet(keys.SCHEMA, {"version": b"2"})])
    with pytest.raises(WrongSchema, match="the key 'schema' of the engine holds nothing"):
        gate_of(redis_store).check()


def test_who_asks_while_another_looks_goes_on_with_what_is_known():
    store = MemoryStore()
    say(store, {"version": 4})
    asked = []

    class Slow(MemoryStore):
        def perform(self, request):
            asked.append(request)
            gate.check()  # another thread, meanwhile
            return store.perform(request)

    gate = gate_of(Slow())
    gate.check()
    gate.check()
    assert len(asked) == 1


def test_what_a_later_release_says_besides_is_passed_over():
    store = MemoryStore()
    say(store, {"version": 4, "release": "1.1", "more": {"a": 1}})
    assert read_schema(store, keys.SCHEMA)[0] == Schema(version=4, release="1.1")


# -- processes of the site --------------------------------------------------------------


@pytest.fixture
def site(engine_server, monkeypatch):
    """A site on an empty engine: a function that opens it as a new process would."""
    engine_server.client.flushdb()
    yield from sites(conf.Conf(store=engine_server.url), monkeypatch)


@pytest.fixture
def own_site(tmp_path, monkeypatch):
    """The same with an engine of its own, as ``make run`` has one."""
    yield from sites(conf.Conf(store="embedded://", data_dir=tmp_path), monkeypatch)


def sites(settings, monkeypatch):
    for module in (engine, upgrading):
        monkeypatch.setattr(module, "get_conf", lambda: settings)
    before, opened = engine.use(None), []

    def start():
        engine.use(None)
        opened.append(engine.get_engine())
        return opened[-1]

    yield start
    engine.use(before)
    for store in opened:
        store.close()


def test_a_new_site_says_its_version_and_one_with_state_the_first(site, engine_server):
    site()
    assert upgrading.describe() == Schema(version=RELEASE.version, release=RELEASE.name)
    orchards.submit()
    engine_server.client.delete(keys.SCHEMA)
    site()
    assert upgrading.describe() == Schema(version=1)


def test_state_of_a_newer_release_is_refused_at_start_in_one_line(site, engine_server):
    say(site(), {"version": 99, "release": "99.1"})
    before = engine_server.client.keys()
    with pytest.raises(ImproperlyConfigured) as refusal:
        site()
    assert str(refusal.value) == (
        f"the state is of version 99, by release 99.1, and this release ({RELEASE.name}) knows"
        f" versions up to {RELEASE.version}: install the newer release, or restore a backup made"
        " before the upgrade"
    )
    assert engine_server.client.keys() == before


async def test_a_process_at_work_stops_when_somebody_upgrades(site, at_once):
    store = site()
    orchards.submit()
    ahead = {"to": 99, "step": 99, "cursor": ""}
    say(store, {"version": RELEASE.version, "upgrading": ahead})
    for _ in range(2):
        with pytest.raises(EngineAway, match="the state is of version 99"):
            orchards.submit()
        with pytest.raises(EngineAway, match="the state is of version 99"):
            await arun(counts.count_jobs())
    say(store, {"version": RELEASE.version})  # a backup was restored
    orchards.submit()
    assert sum(run(counts.count_jobs()).values()) == 2


def test_it_says_so_to_whoever_asks_whether_it_is_ready(site, at_once):
    say(site(), {"version": 99})
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "the state is of version 99" in answer.json()["reason"]
    assert Client().get("/healthz").status_code == 200


def test_an_engine_that_comes_later_is_looked_at_then(own_engine_server, monkeypatch, at_once):
    own_engine_server.kill()
    settings = conf.Conf(store=own_engine_server.url)
    monkeypatch.setattr(engine, "get_conf", lambda: settings)
    before = engine.use(None)
    try:
        with pytest.raises(EngineAway):
            run(counts.count_jobs())
        own_engine_server.start()
        orchards.submit()
        assert upgrading.describe() == Schema(version=RELEASE.version, release=RELEASE.name)
        engine.get_engine().close()
    finally:
        engine.use(before)


# -- what is told of it --------------------------------------------------------------------


def test_older_state_is_worked_with_and_told_of(site, caplog):
    say(site(), {"version": RELEASE.oldest})
    site()
    with caplog.at_level(logging.WARNING, "orchard.upgrades"):
        open_engine()
    assert "run `manage.py upgrade`" in caplog.text
    orchards.submit()
    (trouble,) = schema_troubles.examine_schema(upgrading.describe())
    assert (trouble.code, trouble.is_grave) == ("upgrade-due", False)


def test_state_that_is_too_old_is_refused_with_what_to_do(site):
    say(site(), {"version": 0})
    site()
    with pytest.raises(CommandError, match=r"of version 0, .*: run `manage\.py upgrade`"):
        open_engine()


def test_the_doctor_tells_of_an_upgrade_that_did_not_come_to_its_end():
    found = Schema(version=1, upgrading=Upgrading(to=2, step=2))
    (trouble,) = schema_troubles.examine_schema(found)
    assert trouble.code == "upgrade-begun"
    assert list(schema_troubles.examine_schema(Schema(version=RELEASE.version))) == []
    assert list(schema_troubles.examine_schema(None)) == []


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (Schema(version=RELEASE.version, release="0.1"), [(f"{RELEASE.version}", "release 0.1")]),
        (Schema(version=1), [("1", "an upgrade is due")]),
        (Schema(version=1, upgrading=Upgrading(to=2, step=2)), [("1", "an upgrade was begun")]),
        (None, []),
    ],
)
def test_the_engine_page_shows_the_version(found, shown):
    with translation.override("en"):
        tiles = version_tile(found)
    assert [(tile.value, tile.note) for tile in tiles] == shown


def test_the_command_shows_does_and_then_has_nothing_to_do(site, engine_server):
    site()
    job = orchards.submit()
    name = keys.job(job.job_id)
    engine_server.client.set(name, json.dumps(json.loads(engine_server.client.get(name)), indent=1))
    say(engine.get_engine(), {"version": 1})
    shown = command("--dry-run")
    assert "From version 1 to version 2." in shown
    assert f"would change: {name}" in shown
    assert shown.endswith("Nothing was changed.\n")
    told = json.loads(command("--json"))
    assert (told["from_version"], told["to_version"], told["steps"][0]["changed"]) == (1, 2, 1)
    assert command() == "The state is of version 2: nothing is to be done.\n"
    say(engine.get_engine(), {"version": 99})
    with pytest.raises(CommandError, match="the state is of version 99"):
        command()


def command(*options):
    out = io.StringIO()
    call_command("upgrade", *options, stdout=out)
    return out.getvalue()


def test_make_run_upgrades_the_state_of_its_own_engine(own_site, caplog):
    own_site()
    job = orchards.submit()
    say(engine.get_engine(), {"version": 1, "upgrading": {"to": 2, "step": 2, "cursor": "0:7"}})
    with caplog.at_level(logging.INFO, "orchard.upgrades"):
        open_engine(upgrades=True)
    assert upgrading.describe() == Schema(version=RELEASE.version, release=RELEASE.name)
    assert f"the state is of version {RELEASE.version} now" in caplog.text
    assert run(queries.get_job(job.job_id)).job == job


def test_it_leaves_an_engine_that_others_work_with_to_people(site):
    say(site(), {"version": 1})
    open_engine(upgrades=True)
    assert upgrading.describe() == Schema(version=1)


class TestPrograms:
    """Programs that use the state by the factory, without a site."""

    @pytest.fixture
    def manager(self, redis_store, engine_server, tmp_path):
        url = urlsplit(engine_server.url)
        redis = {"enabled": True, "host": url.hostname, "port": url.port}
        config = {"unifiedStateManagement": {"backend": "redis", "redis": redis}}
        manager = StateManagerFactory.create_status_manager(config, tmp_path)
        yield manager
        manager.close()

    def test_where_nobody_says_anything_they_say_nothing_either(self, manager, redis_store):
        assert manager.checkout(1, "process-1")
        assert redis_store.read(ops.Key(keys.SCHEMA)) == [None]

    def test_a_newer_state_is_refused_plainly_and_not_touched(self, manager, redis_store):
        say(redis_store, {"version": RELEASE.version + 1, "release": "9.9"})
        before = redis_store.read(ops.Size("poppo:state:issues"))
        with pytest.raises(WrongSchema, match=r"version 3, by release 9\.9, and this .* up to 2"):
            manager.checkout(1, "process-1")
        assert redis_store.read(ops.Size("poppo:state:issues")) == before == [b"0"]

    def test_they_stop_when_the_state_is_upgraded_under_them(self, manager, redis_store, at_once):
        assert manager.checkout(1, "process-1")
        say(redis_store, {"version": RELEASE.version, "upgrading": {"to": 9, "step": 9}})
        with pytest.raises(WrongSchema, match="version 9"):
            manager.checkout(2, "process-1")
