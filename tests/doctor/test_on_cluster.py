"""A real cluster, broken in many partitions at once: all is found, told where, and mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from orchard import keys
from orchard.doctor.examining import examine, repair
from orchard.services import engine, queries, run
from statecore.store import Store, ops
from statecore.store.layouts import tagged
from statecore.store.partitions import PartitionedStore
from statecore.store.walking import walk_keys
from tests.doctor import worlds

JOBS = 12


@pytest.fixture
def site(cluster_store: Store, settings, tmp_path) -> Iterator[PartitionedStore]:
    """The services run on the cluster; files lie in a folder of the test's."""
    settings.MEDIA_ROOT = tmp_path / "media"
    before = engine.use(cluster_store)
    yield cluster_store
    engine.use(before)


def partitions_of(store: PartitionedStore, job_ids: list[str]) -> set[int]:
    return set(store.locate([keys.job(job_id) for job_id in job_ids]))


def break_everywhere(store: PartitionedStore, job_ids: list[str]) -> list[str]:
    """Delete each partition's queue and list of jobs, and every third record; answers these."""
    gone = job_ids[::3]
    for place in range(store.count):
        for name in (keys.CHUNK_QUEUE, keys.JOBS):
            store.engine.commit({}, [ops.Delete((tagged(place, name),))])
    for job_id in gone:
        (place,) = store.locate([keys.job(job_id)])
        store.engine.commit({}, [ops.Delete((tagged(place, keys.job(job_id)),))])
    store.last_seen = type(store.last_seen)()
    return gone


def test_what_is_broken_in_many_partitions_is_found_and_mended(site):
    job_ids = [worlds.split() for _ in range(JOBS)]
    assert examine(site, pause_s=0).findings == []
    gone = break_everywhere(site, job_ids)
    assert len(partitions_of(site, gone)) > 1
    left = [job_id for job_id in job_ids if job_id not in gone]
    assert len(partitions_of(site, left)) > 3

    found = examine(site, pause_s=0)
    told = Counter(finding.code for finding in found.findings)
    assert found.counts["job-gone"] == len(gone)
    assert found.counts["chunk-lost"] >= 3 * len(left)
    assert found.counts["job-unlisted"] >= len(left)
    assert told["job-gone"] == len(gone)  # each is told with its name
    assert {finding.where for finding in found.findings if finding.code == "job-gone"} == {*gone}

    mended, after = repair(site, pause_s=0)
    assert after.findings == []
    assert mended["job-gone"] == len(gone)
    listed = {view.job.job_id for view in run(queries.list_jobs(limit=100)).jobs}
    assert {*left} <= listed
    assert not {*gone} & listed
    assert len(run_all_claims()) >= 3 * len(left)


def test_keys_of_every_partition_are_looked_at(site):
    job_ids = [worlds.split() for _ in range(JOBS)]
    names = {fact.address for page in walk_keys(site, 5) for fact in page}
    places = site.locate([keys.job(job_id) for job_id in job_ids])
    assert {tagged(p, keys.job(j)) for p, j in zip(places, job_ids, strict=True)} <= names
    assert examine(site, pause_s=0).looked_at["keys"] >= len(names)


def run_all_claims() -> list[object]:
    """Chunks that workers get now, from whatever partition."""
    run(worlds.fleet.register(name="w9"))
    found: list[object] = []
    while held := run(worlds.claims.claim("w9", 100)):
        found += held
    return found
