"""Searching and sorting jobs over the API."""

from __future__ import annotations

import pytest
from django.test import Client

from orchard.catalogue.following import Follower
from tests.catalogue.jobs import catch_up, submit


def names(client: Client, **query: object) -> list[str]:
    answer = client.get("/api/v1/jobs", query)
    assert answer.status_code == 200, answer.content
    return [job["filename"] for job in answer.json()["jobs"]]


def test_jobs_are_searched_and_sorted(client: Client, clock):
    for name in ("b talk.wav", "会議.wav", "a talk.wav"):
        submit(name)
        clock.advance(1)
    catch_up(Follower())
    assert names(client, q="talk", sort="name") == ["a talk.wav", "b talk.wav"]
    assert names(client, q="会議") == ["会議.wav"]
    assert names(client, sort="oldest")[0] == "b talk.wav"
    assert names(client, q="talk", status="failed") == []
    assert client.get("/api/v1/jobs", {"q": "talk"}).json()["count"] == 2
    assert client.get("/api/v1/jobs", {"sort": "name"}).json()["count"] == 3


def test_pages_of_a_search_follow_each_other(client: Client):
    for number in range(5):
        submit(f"talk {number}.wav")
    catch_up(Follower())
    seen, cursor = [], ""
    while cursor is not None:
        query = {"q": "talk", "sort": "name", "limit": 2, "cursor": cursor}
        page = client.get("/api/v1/jobs", query).json()
        seen += [job["filename"] for job in page["jobs"]]
        cursor = page["next"]
    assert seen == [f"talk {number}.wav" for number in range(5)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"sort": "wrong"}, "sort"), ({"q": "x" * 201}, "q"), ({"q": "x", "cursor": "x"}, "cursor"),
        ({"sort": "name", "cursor": "WyJuZXdlc3QiLDEsMV0"}, "cursor"),
        ({"status": "wrong", "q": "x"}, "status"), ({"limit": "201", "q": "x"}, "limit"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_its_field(query, field, client: Client):
    answer = client.get("/api/v1/jobs", query)
    assert answer.status_code == 400
    assert field in answer.json()["detail"] or field in answer.json()["error"]
    assert field in str(answer.json())


def test_the_document_tells_of_both_parameters(client: Client):
    document = client.get("/api/v1/schema?format=json").json()
    given = {one["name"]: one for one in document["paths"]["/api/v1/jobs"]["get"]["parameters"]}
    assert "newest" in given["sort"]["schema"]["enum"]
    assert given["q"]["schema"]["maxLength"] == 200
    assert given["q"]["description"]
