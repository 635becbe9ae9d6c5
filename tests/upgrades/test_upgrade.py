"""An upgrade changes every record once, whatever keeps it, and leaves all else as it is."""

from __future__ import annotations

import json
import threading

import pytest

from orchard import keys
from orchard.domain.lifecycle import JobStatus
from orchard.services import queries, run
from orchard.upgrades import RELEASE, all_steps
from orchard.upgrades.running import UnderWay, Upgrade, UpgradeRefused
from statecore.store import ops
from statecore.store.schema import Release, Schema, Upgrading, read_schema, write_schema
from statecore.store.walking import below, look_at, walk_keys
from tests.services import orchards
from tests.upgrades.steps import MARK, NEXT


def upgrade(store, *steps, release=None, holder="test", tell=lambda tally: None):
    release = release or Release("9.0.0", steps[-1].version, 1)
    return Upgrade(store, release, steps, holder, tell, wait_s=0)


def schema_of(store):
    return read_schema(below(store), keys.SCHEMA)[0]


def fill(store, count=450):
    for number in range(count):
        value = json.dumps({"n": number}).encode()
        store.commit(
            {}, [ops.Set(keys.job(f"j{number}"), value, 3_600_000 if number % 2 else None)]
        )
    fields = {str(number): b'{"r":%d}' % number for number in range(count)}
    store.commit({}, [ops.HashSet(keys.results("j0"), fields)])
    store.commit({}, [ops.Set(keys.user_pref("ann", "x"), b"{}", 60_000)])


def everything(store):
    """All that the engine holds but how far an upgrade is."""
    found = {}
    for page in walk_keys(store):
        for fact in page:
            if fact.kind in ("string", "hash") and fact.name not in (keys.SCHEMA, keys.UPGRADE):
                ref = ops.Key if fact.kind == "string" else ops.WholeHash
                found[fact.name] = store.read(ref(fact.name))[0]
    return found


def test_every_record_is_changed_and_lives_as_long_as_before(store):
    fill(store)
    report = upgrade(store, MARK).run()
    (tally,) = report.steps
    assert (tally.changed, tally.looked_at, tally.left) == (900, 900, 0)
    assert len(tally.examples) == 5
    jobs = store.read(*(ops.Key(keys.job(f"j{number}")) for number in range(450)))
    assert [json.loads(raw) for raw in jobs] == [{"n": n, "seen": 1} for n in range(450)]
    (results,) = store.read(ops.WholeHash(keys.results("j0")))
    assert {json.loads(raw)["seen"] for raw in results.values()} == {1}
    facts = look_at(store, [keys.job("j0"), keys.job("j1")])
    assert facts[0].ttl_ms is None
    assert 3_000_000 < facts[1].ttl_ms <= 3_600_000
    assert store.read(ops.Key(keys.user_pref("ann", "x"))) == [b"{}"]
    assert schema_of(store) == Schema(version=3, release="9.0.0")
    assert store.read(ops.Key(keys.UPGRADE)) == [None]


def test_a_dry_run_tells_the_same_and_changes_nothing(store):
    fill(store)
    before = everything(store), schema_of(store)
    report = upgrade(store, MARK).preview()
    assert (report.from_version, report.to_version, report.dry_run) == (1, 3, True)
    assert (report.steps[0].changed, report.steps[0].looked_at) == (900, 900)
    assert (everything(store), schema_of(store)) == before


def test_again_there_is_nothing_to_do(store):
    fill(store, 10)
    upgrade(store, MARK).run()
    assert upgrade(store, MARK).run().steps == []


def test_what_is_no_record_stays_and_is_told(store):
    fill(store, 3)
    store.commit({}, [ops.Set(keys.job("broken"), b"{half")])
    (tally,) = upgrade(store, MARK).run().steps
    assert (tally.changed, tally.left) == (6, 1)
    assert tally.left_examples[0].startswith("job:broken: no object")
    assert store.read(ops.Key(keys.job("broken"))) == [b"{half"]
    assert schema_of(store).version == 3


class Killed(BaseException):
    """What a test kills an upgrade with."""


def test_one_that_died_goes_on_where_it_was_and_misses_nothing(store):
    fill(store)

    def die(tally):
        if tally.looked_at:
            raise Killed

    with pytest.raises(Killed):
        upgrade(store, MARK, tell=die).run()
    stopped = schema_of(store)
    assert stopped.version == 1
    assert (stopped.upgrading.to, stopped.upgrading.step) == (3, 3)
    assert stopped.upgrading.cursor
    report = upgrade(store, MARK).run()
    assert report.resumed
    assert 0 < report.steps[0].changed < 900
    assert all(b'"seen"' in raw for name, raw in everything(store).items() if name[:4] == "job:")
    assert schema_of(store) == Schema(version=3, release="9.0.0")


def test_a_cursor_that_misses_records_does_no_harm(store):
    """As after a restart of the engine: the last walk is always one from the start."""
    fill(store, 20)
    _, raw = read_schema(below(store), keys.SCHEMA)
    away = Upgrading(to=3, step=3, cursor="zzz" if store.name == "memory" else "0:1")
    write_schema(below(store), keys.SCHEMA, raw, Schema(version=1, upgrading=away))
    upgrade(store, MARK).run()
    jobs = store.read(*(ops.Key(keys.job(f"j{number}")) for number in range(20)))
    assert all(b'"seen"' in job for job in jobs)


def test_only_one_process_does_it_and_another_says_who(store):
    fill(store, 3)
    met = []

    def meet(tally):
        with pytest.raises(UnderWay, match=r"first does the upgrade already; .* run this again"):
            upgrade(store, MARK, holder="second").run()
        met.append(tally.version)

    upgrade(store, MARK, holder="first", tell=meet).run()
    assert met


def test_records_that_change_meanwhile_keep_both_changes(store):
    fill(store, 40)
    ends, wrong = threading.Event(), []

    def count_up():
        cell, count = ops.Key(keys.job("j7")), 0
        while not ends.is_set():
            (raw,) = store.read(cell)
            said = json.loads(raw)
            if said.get("count", 0) != count:
                wrong.append((said, count))
            new = json.dumps(said | {"count": count + 1}).encode()
            if isinstance(store.commit({cell: raw}, [ops.Set(cell.key, new)]), ops.Committed):
                count += 1

    worker = threading.Thread(target=count_up)
    worker.start()
    try:
        upgrade(store, MARK).run()
    finally:
        ends.set()
        worker.join()
    said = json.loads(store.read(ops.Key(keys.job("j7")))[0])
    assert (wrong, said["seen"]) == ([], 1)


def test_something_that_goes_on_writing_the_older_form_is_told_of(store):
    fill(store, 5)

    def write_again(tally):
        store.commit({}, [ops.Set(keys.job("j1"), b"{}")])

    with pytest.raises(UpgradeRefused, match="something still writes records of a version before"):
        upgrade(store, MARK, tell=write_again).run()
    assert schema_of(store).version == 1
    upgrade(store, MARK).run()
    assert schema_of(store).version == 3


def test_newer_state_is_not_touched(store):
    _, raw = read_schema(below(store), keys.SCHEMA)
    write_schema(below(store), keys.SCHEMA, raw, Schema(version=7, release="12.0"))
    with pytest.raises(UpgradeRefused, match=r"version 7, by release 12\.0, and this release"):
        upgrade(store, MARK, release=NEXT)


def test_our_own_steps_leave_what_we_write_as_it_is(store):
    job = orchards.processing(3)
    orchards.worker()
    claimed = orchards.claim(count=2)
    orchards.complete(claimed[0])
    before = everything(store)
    report = upgrade(store, *all_steps(), release=RELEASE).run()
    assert [tally.changed for tally in report.steps] == [0] * len(report.steps)
    assert sum(tally.looked_at for tally in report.steps) >= 6
    assert everything(store) == before
    assert job.status == JobStatus.PROCESSING
    orchards.complete(claimed[1])


def test_our_steps_bring_older_shapes_to_ours_and_keep_what_we_do_not_know(store):
    job = orchards.processing(2)
    cell, chunk = ops.Key(keys.job(job.job_id)), ops.Field(keys.chunks(job.job_id), "0")
    raw, chunk_raw = store.read(cell, chunk)
    old = json.dumps(json.loads(raw) | {"pinned": False, "theirs": {"a": 1}}, indent=1)
    old_chunk = json.dumps(json.loads(chunk_raw) | {"theirs": [1], "errors": []})
    store.commit({}, [ops.Set(cell.key, old.encode()),
                      ops.HashSet(chunk.key, {"0": old_chunk.encode()})])  # fmt: skip
    upgrade(store, *all_steps(), release=RELEASE).run()
    new, new_chunk = map(json.loads, store.read(cell, chunk))
    assert new == json.loads(raw) | {"theirs": {"a": 1}}
    assert new_chunk == json.loads(chunk_raw) | {"theirs": [1]}
    orchards.worker()
    for claimed in orchards.claim(count=2):
        orchards.complete(claimed)
    assert run(queries.get_job(job.job_id)).job.status == JobStatus.AGGREGATING


def test_the_steps_lead_from_the_first_version_to_this_releases():
    assert [step.version for step in all_steps()] == list(range(2, RELEASE.version + 1))
    assert RELEASE.oldest == RELEASE.version - 1
