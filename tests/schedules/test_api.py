"""Schedules over the API, for whom they belong to and for others."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orchard.services import engine

pytestmark = pytest.mark.django_db
DOOR = "/api/v1/schedules"


@pytest.fixture
def store(memory_store):
    """Memory is enough here."""
    before = engine.use(memory_store)
    yield memory_store
    engine.use(before)


@pytest.fixture
def ann(store, tokens):
    """A program that may hand in."""
    return Client(headers=tokens("submit", "read", name="ann"))


def make(client, content: bytes = b"one\ntwo", filename: str = "a.txt", **fields):
    given = {"name": "mornings", "cron": "30 6 * * MON-FRI", "time_zone": "Asia/Tokyo"}
    upload = SimpleUploadedFile(filename, content)
    return client.post(DOOR, given | {"file": upload, "type": "text"} | fields)


def patch(client, path: str, **body):
    return client.patch(path, body, content_type="application/json")


def test_a_schedule_is_made_shown_changed_run_and_removed(ann):
    answer = make(ann, priority="high", requires="gpu", words="false")
    made = answer.json()
    path = f"{DOOR}/{made['schedule_id']}"
    assert (answer.status_code, answer["Location"]) == (201, path)
    assert (made["owner"], made["next_at"]) == ("token:ann", "2025-06-23T21:30:00Z")
    assert (made["type"], made["priority"], made["requires"]) == ("text", 8, ["gpu"])
    assert (made["words"], made["purifier"], made["filename"]) == (False, None, "a.txt")
    assert ann.get(path).json() == made
    assert ann.get(DOOR).json() == {"schedules": [made], "count": 1}
    resting = patch(ann, path, enabled=False, priority="low", name="rest").json()
    assert (resting["next_at"], resting["priority"], resting["name"]) == (None, 2, "rest")
    assert resting["requires"] == ["gpu"]
    job = ann.post(f"{path}/run")
    assert (job.status_code, job.json()["owner"]) == (201, "token:ann")
    assert ann.get(path).json()["last_job_id"] == job.json()["job_id"]
    assert ann.delete(path).status_code == 200
    assert (ann.get(path).status_code, ann.get(path).json()["code"]) == (404, "unknown_schedule")


def test_the_zone_is_that_of_the_site_unless_given(ann, settings):
    assert make(ann, time_zone="").json()["time_zone"] == settings.TIME_ZONE


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "* * * * * *"}, "cron"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"name": " "}, "name"),
        ({"priority": "soon"}, "priority"),
        ({"requires": "no label!"}, "requires"),
        ({"type": "nothing"}, "type"),
        ({"content": b"\n"}, "file"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(ann, fields, field):
    answer = make(ann, **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["detail"]) == [field]
    assert ann.get(DOOR).json()["count"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [({"cron": "x"}, "cron"), ({"time_zone": "x"}, "time_zone"), ({"enabled": 1}, "enabled"),
     ({"requires": ["-"]}, "requires"), ({"priority": "10"}, "priority")],
)  # fmt: skip
def test_a_change_that_is_wrong_changes_nothing(ann, body, field):
    made = make(ann).json()
    answer = patch(ann, f"{DOOR}/{made['schedule_id']}", **body)
    assert (answer.status_code, list(answer.json()["detail"])) == (400, [field])
    assert ann.get(f"{DOOR}/{made['schedule_id']}").json() == made


def test_programs_act_on_their_own_and_administrators_on_all(ann, tokens):
    path = f"{DOOR}/{make(ann).json()['schedule_id']}"
    other = Client(headers=tokens("submit", "read", name="ben"))
    assert other.get(path).status_code == 200
    for answer in (
        patch(other, path, enabled=False),
        other.delete(path),
        other.post(f"{path}/run"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")
    ruler = Client(headers=tokens("admin", name="root"))
    assert ruler.post(f"{path}/run").json()["owner"] == "token:ann"
    assert ruler.delete(path).status_code == 200
