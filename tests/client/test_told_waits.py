"""What the command line says of a job that no worker can begin."""

from __future__ import annotations

import json

import msgspec
import pytest

from orchard_client import Client
from orchard_client.cli import submitting
from orchard_client.models.jobs import Job, WaitsFor
from tests.client.conftest import Site, sound
from tests.client.shell import as_json, done


@pytest.fixture
def job_id(site: Site, orchard: Client) -> str:
    """A job that was cut into one chunk, as a pipeline would have done it."""
    job_id, engine = orchard.jobs.submit(sound(), name="talk.wav").job_id, site.engine.client
    record = json.loads(engine.get(f"job:{job_id}"))
    record |= {"status": "processing", "total_chunks": 1, "requires": ["gpu-nobody-has"]}
    engine.set(f"job:{job_id}", json.dumps(record))
    chunk = {"index": 0, "start_ms": 0, "end_ms": 900, "status": "waiting"}
    engine.hset(f"chunks:{job_id}", "0", json.dumps(chunk))
    return job_id


def test_a_job_that_is_shown_says_what_it_lacks(site: Site, orchard: Client, job_id: str):
    found = orchard.jobs.get(job_id).waits_for
    assert found
    assert found.reason in ("no_worker", "no_worker_with_labels")
    shown = done(site.environ, "jobs", "show", job_id).splitlines()
    assert f"waits_for\t{found.message} {found.help}" in shown
    assert as_json(site.environ, "jobs", "show", job_id)["waits_for"]["reason"] == found.reason
    done(site.environ, "jobs", "delete", "--yes", job_id)


def test_a_job_that_lacks_nothing_says_nothing_of_it(site: Site, orchard: Client):
    job_id = orchard.jobs.submit(sound(), name="talk.wav").job_id
    assert "waits_for" not in done(site.environ, "jobs", "show", job_id)
    orchard.jobs.delete(job_id)


def test_who_waits_is_told_once_of_each_lack(
    orchard: Client, job_id: str, capsys: pytest.CaptureFixture[str]
):
    lacking = orchard.jobs.get(job_id)
    fine = msgspec.structs.replace(lacking, waits_for=None)
    hostile = WaitsFor(reason="no_worker", message="\x1b[31mNone.", help="Start one.")
    other: Job = msgspec.structs.replace(lacking, waits_for=hostile)
    with submitting._shown() as shown:
        for job in (fine, lacking, lacking, other, fine):
            shown.changed(job)
    said = capsys.readouterr().err
    assert said.count("It waits: No worker") == 1
    assert "[31mNone. Start one." in said
    assert "\x1b" not in said
    orchard.jobs.delete(job_id)
