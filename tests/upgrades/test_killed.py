"""A process that is killed in the middle of an upgrade, with signal 9, beside others at work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

from orchard import keys
from orchard.placement import LAYOUT
from orchard.services import claims, engine, queries, run
from orchard.upgrades import RELEASE, all_steps
from orchard.upgrades.running import Upgrade
from statecore.store import ops
from statecore.store.partitions import PartitionedStore
from statecore.store.redis import RedisStore
from statecore.store.schema import Schema, read_schema, write_schema
from tests.services import orchards
from tests.upgrades.steps import MARK, NEXT

ROOT = Path(__file__).parents[2]
CHILD = "import tests.upgrades.test_killed as t, sys; t.upgrade_slowly(sys.argv[1])"
RECORDS = 1000


def open_(url):
    return PartitionedStore(RedisStore(url), 3, LAYOUT)


def upgrade_slowly(url):
    """What the process does: after each page it says so, and waits to be told to go on."""

    def tell(tally):
        sys.stdout.write(f"{tally.changed}\n")
        sys.stdout.flush()
        sys.stdin.readline()

    Upgrade(open_(url), NEXT, [MARK], "child", tell, wait_s=0).run()


def is_marked(store, number):
    return b'"seen"' in store.read(ops.Key(keys.job(f"j{number}")))[0]


def test_it_is_gone_on_with_by_another_process(redis_store, engine_server):
    store = open_(engine_server.url)
    write_schema(redis_store, keys.SCHEMA, None, Schema(version=2))
    for number in range(RECORDS):
        store.commit({}, [ops.Set(keys.job(f"j{number}"), b'{"n":%d}' % number)])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, engine_server.url], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with child:
        changed = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
    assert 0 < changed < RECORDS
    assert sum(is_marked(store, number) for number in range(RECORDS)) == changed
    assert read_schema(redis_store, keys.SCHEMA)[0].upgrading.cursor
    store.commit({}, [ops.Delete((keys.UPGRADE,))])  # as it does by itself after some seconds
    report = Upgrade(store, NEXT, [MARK], "other", lambda tally: None, wait_s=0).run()
    assert report.resumed
    assert report.steps[0].changed == RECORDS - changed
    assert all(is_marked(store, number) for number in range(RECORDS))
    assert read_schema(redis_store, keys.SCHEMA)[0] == Schema(version=3, release="9.0.0")
    store.close()


def test_chunks_are_done_while_all_records_are_rewritten(redis_store, engine_server):
    store = open_(engine_server.url)
    before = engine.use(store)
    write_schema(redis_store, keys.SCHEMA, None, Schema(version=1))
    ends, failures = threading.Event(), []
    try:
        jobs = [orchards.processing(4).job_id for _ in range(20)]
        for job_id in jobs:
            fields = [ops.Field(keys.chunks(job_id), str(index)) for index in range(4)]
            make_old(store, ops.Key(keys.job(job_id)), *fields)
        make_old(store, ops.Key(keys.job(orchards.submit().job_id)))  # which nobody touches
        orchards.worker()
        workers = threading.Thread(target=work, args=(ends, failures))
        workers.start()
        report = Upgrade(store, RELEASE, all_steps(), "test", lambda tally: None, wait_s=0).run()
        ends.set()
        workers.join()
        while claimed := run(claims.claim("w1", 4)):
            list(map(orchards.complete, claimed))
        done = [run(queries.get_job(job_id)).job.completed_chunks for job_id in jobs]
    finally:
        ends.set()
        engine.use(before)
        store.close()
    assert failures == []
    assert report.steps[0].changed > 0
    assert done == [4] * 20


def work(ends, failures):
    while not ends.is_set():
        try:
            list(map(orchards.complete, run(claims.claim("w1", 2))))
        except Exception as failure:
            failures.append(failure)
            return


def make_old(store, *cells):
    """Have records in another form of the same, as another program would write it."""
    for cell, raw in zip(cells, store.read(*cells), strict=True):
        spread = json.dumps(json.loads(raw), indent=1).encode()
        is_field = isinstance(cell, ops.Field)
        write = (
            ops.HashSet(cell.key, {cell.name: spread}) if is_field else ops.Set(cell.key, spread)
        )
        store.commit({cell: raw}, [write])
