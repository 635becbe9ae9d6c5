"""The lists of jobs and workers: searched, sorted, filtered, paged; all of it in the address."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from orchard.catalogue import listing
from orchard.catalogue.following import Follower
from orchard.services import fleet, run, submissions
from orchard.web import job_list, worker_list
from tests.catalogue.jobs import catch_up, submit
from tests.services.orchards import claim, complete, processing, worker


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def names(answer) -> list[str]:
    """What is listed, in order."""
    return re.findall(r'<a class="job-name"[^>]*>([^<]*)</a>', text_of(answer))


def cards(answer) -> list[str]:
    """The workers whose cards are shown, in order."""
    return re.findall(r'<li class="card worker" id="([^"]*)"', text_of(answer))


def read_all() -> None:
    catch_up(Follower())


def next_of(answer) -> str:
    found = re.search(r'rel="next" href="([^"]*)"', text_of(answer))
    return found[1].replace("&amp;", "&") if found else ""


def test_jobs_are_found_by_any_part_of_their_name(reader: Client):
    for name in ("会議の録音.wav", "weekly meeting.wav", "memo.wav"):
        submit(name)
    read_all()
    assert names(reader.get("/ui/jobs/?q=MEET")) == ["weekly meeting.wav"]
    found = reader.get("/ui/jobs/?q=会議")
    assert names(found) == ["会議の録音.wav"]
    assert 'name="q" value="会議"' in text_of(found)


def test_jobs_are_listed_in_every_order(reader: Client):
    for name in ("b.wav", "c.wav", "a.wav"):
        submit(name)
    read_all()
    assert names(reader.get("/ui/jobs/?sort=name")) == ["a.wav", "b.wav", "c.wav"]
    for sort in job_list.JOB_SORTS:
        assert len(names(reader.get(f"/ui/jobs/?sort={sort}"))) == 3


def test_a_search_keeps_state_and_order_in_every_link(reader: Client, monkeypatch):
    monkeypatch.setattr(job_list, "PAGE", 2)
    for number in range(5):
        submit(f"talk {number}.wav")
    read_all()
    asked = "/ui/jobs/?q=talk&status=created&sort=name"
    first = reader.get(asked)
    assert names(first) == ["talk 0.wav", "talk 1.wav"]
    second = reader.get("/ui/jobs/" + next_of(first))
    assert names(second) == ["talk 2.wav", "talk 3.wav"]
    third = reader.get("/ui/jobs/" + next_of(second))
    assert (names(third), next_of(third)) == (["talk 4.wav"], "")
    page = text_of(third)
    assert 'href="?q=talk&amp;status=created&amp;sort=name">First page' in page
    assert 'href="?q=talk&amp;status=failed&amp;sort=name" data-status="failed"' in page
    assert '<option value="name" selected>' in page
    assert '<input type="hidden" name="status" value="created">' in page


def test_a_job_that_is_gone_or_has_moved_on_is_not_shown_where_it_was(reader: Client):
    kept, gone, moved = (submit(f"talk {name}.wav") for name in ("kept", "gone", "moved"))
    read_all()
    run(submissions.remove(gone))
    run(submissions.cancel(moved))
    assert names(reader.get("/ui/jobs/?q=talk&status=created")) == ["talk kept.wav"]
    assert names(reader.get("/ui/jobs/?q=talk&sort=name")) == ["talk kept.wav", "talk moved.wav"]
    assert kept


def test_nothing_found_says_so_and_leads_on(reader: Client):
    submit("talk.wav")
    read_all()
    page = text_of(reader.get("/ui/jobs/?q=nothing&status=failed"))
    assert "No job matches" in page
    assert '<a href="?q=nothing">Search in all states</a>' in page
    assert "0 jobs match “nothing”." in page


def test_a_list_that_is_still_being_read_says_so(reader: Client):
    submit("talk.wav")
    page = text_of(reader.get("/ui/jobs/?q=talk"))
    assert "The list of all jobs is being read." in page
    assert "being read" not in text_of(reader.get("/ui/jobs/"))
    read_all()
    assert "being read" not in text_of(reader.get("/ui/jobs/?q=talk"))


def test_what_makes_no_sense_in_an_address_is_left_out_or_leads_to_the_list(reader: Client):
    submit("talk.wav")
    read_all()
    assert names(reader.get("/ui/jobs/?sort=wrong&status=wrong")) == ["talk.wav"]
    for query in ("sort=name&cursor=x", "q=talk&cursor=e30", "cursor=x"):
        answer = reader.get(f"/ui/jobs/?{query}")
        assert (answer.status_code, answer["Location"]) == (302, "/ui/jobs/")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "%00", "\"'%_\\", "😀", "a" * 500])
def test_a_search_is_text_and_nothing_else(text, reader: Client):
    submit("<script>alert(1)</script>.wav")
    read_all()
    page = text_of(reader.get("/ui/jobs/", {"q": text}))
    assert "<script>alert" not in page


def test_without_a_question_the_catalogue_is_not_asked(reader: Client, monkeypatch):
    submit("talk.wav")
    monkeypatch.delattr(listing.finding, "find")
    assert names(reader.get("/ui/jobs/")) == ["talk.wav"]
    assert names(reader.get("/ui/jobs/?status=created")) == ["talk.wav"]


def test_rows_that_come_are_those_that_the_list_asks_for(reader: Client):
    listed, fitting, other = submit("a.wav"), submit("talk b.wav"), submit("c.wav")
    url = f"/ui/jobs/rows?q=talk&id={listed}&new={fitting}&new={other}&new=none"
    assert names(reader.get(url)) == ["a.wav", "talk b.wav"]
    assert names(reader.get(f"/ui/jobs/rows?status=failed&new={fitting}")) == []


def test_a_job_is_announced_when_the_list_in_its_order_has_it(reader: Client):
    read_all()
    job_id = submit("talk.wav")
    url = f"/ui/jobs/rows?q=talk&sort=name&new={job_id}"
    early = reader.get(url)
    assert names(early) == []
    assert f'data-late="{job_id}"' in text_of(early)
    read_all()
    then = reader.get(url)
    assert names(then) == ["talk.wav"]
    assert "data-late" not in text_of(then)


def test_the_list_tells_its_script_how_it_grows(reader: Client):
    submit("talk.wav")
    read_all()
    assert 'data-grows="50"' in text_of(reader.get("/ui/jobs/?q=talk"))
    sorted_by_name = text_of(reader.get("/ui/jobs/?q=talk&sort=name"))
    assert "data-grows" not in sorted_by_name
    assert "data-jobs-news hidden" in sorted_by_name
    assert 'data-of="created"' in text_of(reader.get("/ui/jobs/?status=created"))


def test_workers_are_found_by_name_and_address(reader: Client):
    for name in ("kitchen-pc", "attic-phone"):
        worker(name)
    run(fleet.register(url="http://10.0.0.7:9000", mode="push"))
    assert cards(reader.get("/ui/workers/?q=KITCHEN")) == ["kitchen-pc"]
    assert cards(reader.get("/ui/workers/?q=10.0.0.7")) == ["http-10.0.0.7:9000"]
    assert "No worker matches" in text_of(reader.get("/ui/workers/?q=nobody"))


def test_workers_of_one_state_are_those_whose_cards_say_so(reader: Client):
    for name in ("idle", "busy", "paused", "draining"):
        worker(name)
    processing(1)
    assert claim("busy", 1)
    run(fleet.pause("paused"))
    run(fleet.drain("draining"))
    for state, name in (("online", "idle"), ("busy", "busy"), ("paused", "paused"),
                        ("draining", "draining")):  # fmt: skip
        answer = reader.get(f"/ui/workers/?status={state}")
        assert cards(answer) == [name]
        assert f'class="badge" data-status="{state}"' in text_of(answer)
    assert cards(reader.get("/ui/workers/?status=offline")) == []
    assert "No worker is in this state" in text_of(reader.get("/ui/workers/?status=offline"))


def test_workers_are_listed_in_every_order(reader: Client, clock):
    for name in ("w3", "w1", "w2"):
        worker(name)
        clock.advance(1)
    processing(2)
    for claimed in claim("w2", 2):
        clock.advance(1)
        complete(claimed)
    assert cards(reader.get("/ui/workers/")) == ["w1", "w2", "w3"]
    assert cards(reader.get("/ui/workers/?sort=heard")) == ["w2", "w1", "w3"]
    assert cards(reader.get("/ui/workers/?sort=done"))[0] == "w2"
    assert cards(reader.get("/ui/workers/?sort=fastest"))[0] == "w2"


@pytest.mark.parametrize("query", ["", "?sort=heard", "?sort=done", "?status=online", "?q=w-"])
def test_a_large_fleet_is_read_page_by_page(query, reader: Client, monkeypatch):
    monkeypatch.setattr(worker_list, "PAGE", 3)
    fleet_of = {worker(f"w-{number}") for number in range(8)}
    path, seen = f"/ui/workers/{query}", []
    while path:
        answer = reader.get(path)
        shown = cards(answer)
        assert len(shown) <= 3
        live = re.search(r'data-region="workers"[^>]*data-url="([^"]*)"', text_of(answer))
        assert live
        assert cards(reader.get(live[1].replace("&amp;", "&"))) == shown
        seen += shown
        path = "/ui/workers/" + next_of(answer) if next_of(answer) else ""
    assert sorted(seen) == sorted(fleet_of)


@pytest.mark.parametrize("path", ["/ui/jobs/?q=talk&sort=name", "/ui/workers/?q=w&sort=heard"])
def test_lists_that_are_asked_for_something_are_japanese_too(path, reader: Client):
    submit("talk.wav")
    worker("w1")
    read_all()
    page = text_of(reader.get(path, headers={"accept-language": "ja"}))
    for word in ("Search", "Order", "match"):
        assert f">{word}" not in page
    assert "並び順" in page
