"""Both clients against a real server: what they send arrives, what they are answered is typed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from orchard_client import (
    AsyncClient,
    Changed,
    Client,
    Conflict,
    Held,
    InvalidInput,
    JobStatus,
    NotFound,
    NotSignedIn,
    Put,
    WaitedTooLong,
)
from tests.client.conftest import Site, sound


def test_a_recording_is_sent_block_by_block_and_its_progress_told(orchard: Client):
    told: list[tuple[int, int]] = []
    job = orchard.jobs.submit(
        sound(500_000), name="a.wav", language="en", progress=lambda *so_far: told.append(so_far)
    )
    assert (job.filename, job.status, job.chunks) == ("a.wav", JobStatus.CREATED, [])
    assert told[-1] == (500_000, 500_000)
    assert len(told) > 5
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)


def test_a_file_is_sent_from_where_it_stands_and_put_back(orchard: Client, tmp_path):
    path = tmp_path / "b.wav"
    path.write_bytes(b"x" * 1000)
    assert orchard.jobs.submit(path).filename == "b.wav"
    with path.open("rb") as file:
        file.seek(400)
        told: list[tuple[int, int]] = []
        orchard.jobs.submit(file, progress=lambda *so_far: told.append(so_far))
        assert (file.tell(), told) == (400, [(600, 600)])


def test_the_same_key_is_the_same_job(orchard: Client):
    key = uuid.uuid4().hex
    first = orchard.jobs.submit(sound(), name="c.wav", idempotency_key=key)
    again = orchard.jobs.submit(sound(), name="c.wav", idempotency_key=key)
    other = orchard.jobs.submit(sound(), name="c.wav")
    assert first.job_id == again.job_id != other.job_id


async def test_an_iterator_goes_through_all_pages_in_both_clients(orchard: Client, site: Site):
    made = [orchard.jobs.submit(sound(10), name=f"{i}.wav").job_id for i in range(25)][::-1]
    found = orchard.jobs.list(status="created", limit=10)
    assert [job.job_id for job in islice(found, 25)] == made
    page = orchard.jobs.page(status="created", limit=10)
    assert ([job.job_id for job in page.jobs], bool(page.next)) == (made[:10], True)
    async with AsyncClient(site.url, site.token) as client:
        later = [job.job_id async for job in client.jobs.list(status="created", limit=20)]
    assert later[:25] == made


def test_what_is_refused_has_a_name_a_code_and_a_reason(orchard: Client, site: Site):
    with pytest.raises(NotFound) as missing:
        orchard.jobs.get("0" * 16)
    assert (missing.value.status, missing.value.code) == (404, "unknown_job")
    assert missing.value.reason
    with pytest.raises(InvalidInput) as wrong:
        orchard.jobs.page(limit=0)
    assert "limit" in wrong.value.facts["detail"]
    with Client(site.url, "nobody") as stranger, pytest.raises(NotSignedIn):
        stranger.workers.list()
    job = orchard.jobs.submit(sound())
    with pytest.raises(Conflict, match="transition_refused"):
        orchard.jobs.retry(job.job_id)


def test_waiting_for_a_job_ends_with_it_or_with_ones_patience(orchard: Client):
    job = orchard.jobs.submit(sound())
    with pytest.raises(WaitedTooLong, match="still created"):
        orchard.jobs.wait(job.job_id, timeout_s=0.3)
    orchard.jobs.cancel(job.job_id)
    assert orchard.jobs.wait(job.job_id, timeout_s=5).status == JobStatus.CANCELLED
    assert orchard.jobs.delete(job.job_id).job_id == job.job_id


def test_values_of_any_kind_come_back_as_they_were_under_any_key(orchard: Client):
    for key in ("plain", "watch", "a/b", "..", "日本 語", "?x=1#y"):
        for value in (None, [], {"題": [1, 2.5, None]}, "", 2**53):
            stored = orchard.state.set("kinds", key, value)
            entry = orchard.state.get("kinds", key)
            assert (entry.value, entry.tag) == (value, stored.tag)
    assert orchard.state.namespace("kinds").count == 6
    orchard.state.clear("kinds")
    assert orchard.state.namespace("kinds").values == {}


def test_only_what_is_unchanged_is_changed(orchard: Client):
    first = orchard.state.set("cas", "k", 1, if_none_match=True)
    with pytest.raises(Changed):
        orchard.state.set("cas", "k", 2, if_none_match=True)
    second = orchard.state.set("cas", "k", 2, if_match=first.tag)
    with pytest.raises(Changed):
        orchard.state.delete("cas", "k", if_match=first.tag)
    with pytest.raises(Changed):
        orchard.state.change([Put(namespace="cas", key="k", value=3, if_version=1)])
    changes = [
        Put(namespace="cas", key="l", value=None),
        Put(namespace="cas", key="k", delete=True),
    ]
    assert [one.version > 0 for one in orchard.state.change(changes).entries] == [True, False]
    assert second.version > first.version
    assert orchard.state.namespace("cas").values == {"l": None}


def test_an_issue_is_checked_out_once_and_checked_in_with_its_result(orchard: Client):
    taken = orchard.issues.check_out(501, "agent-1", task_type="review", pid=4, host="attic")
    assert (taken.process_id, taken.token) == ("agent-1", taken.token)
    with pytest.raises(Held) as refusal:
        orchard.issues.check_out(501, "agent-2")
    assert refusal.value.holder == "agent-1"
    assert orchard.issues.heartbeat(501, token=taken.token).alive
    done = orchard.issues.check_in(501, result={"ok": True}, token=taken.token)
    assert (done.status, done.result) == ("completed", {"ok": True})
    assert not orchard.issues.heartbeat(501, process_id="agent-1").alive
    names = [event.name for event in orchard.issues.history(501).items]
    assert (names[0], names[-1]) == ("issue.checked_out", "issue.checked_in")
    assert 501 in [issue.issue for issue in orchard.issues.list(limit=1)]


def test_log_lines_are_sent_and_found(orchard: Client):
    mark = uuid.uuid4().hex
    before = datetime.now(UTC) - timedelta(minutes=1)
    lines = [{"message": f"{mark} {i}", "level": "warning", "process": "me"} for i in range(12)]
    assert orchard.logs.send(lines).accepted == 12
    found = list(orchard.logs.search(q=mark, level="warning", process="me", since=before, limit=5))
    assert sorted(line.message for line in found) == sorted(line["message"] for line in lines)


def test_the_fleet_is_told_and_asked(orchard: Client):
    orchard.workers.register(name="phone", capabilities={"model": "tiny"})
    assert orchard.workers.claim("phone").chunks == []
    assert orchard.workers.exchange("phone").chunks == []
    assert orchard.workers.pause("phone").paused
    with pytest.raises(Conflict, match="paused"):
        orchard.workers.claim("phone")
    assert "phone" in [worker.worker_id for worker in orchard.workers.list().workers]
    assert orchard.workers.remove("phone").worker_id == "phone"


def test_the_rest_of_the_operations_are_answered_as_they_are_typed(orchard: Client):
    orchard.processes.register("agent 日", role="agent")
    assert orchard.processes.heartbeat("agent 日").ttl_s > 0
    assert "agent 日" in [one.process_id for one in orchard.processes.list()]
    assert orchard.processes.end("agent 日").issues == []
    assert isinstance(orchard.processes.zombies().processes, list)
    assert list(orchard.labels.list(status="failed")) == []
    assert orchard.labels.retry_all().retried == 0
    found = orchard.issues.orphans()
    assert found.count == len(found.orphans)
    assert orchard.issues.statistics().total >= 0
    assert orchard.jobs.set_purifier(False).use_purifier is False
    assert orchard.jobs.get_purifier().use_purifier is False
    assert orchard.site.health().status == "ready"
