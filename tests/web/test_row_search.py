"""Processes, locks and label requests are searched, as far as a page looks at a time."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from orchard.web import looking
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts, locks, processes, run
from tests.web.test_pages import text_of

HOSTILE = '"><script>alert(1)</script>'


def keys(answer) -> list[str]:
    """The rows of the table, in order."""
    return re.findall(r'<tr[^>]* data-key="([^"]*)"', text_of(answer))


def next_of(answer) -> str:
    found = re.search(r'rel="next" href="([^"]*)"', text_of(answer))
    return found[1].replace("&amp;", "&") if found else ""


def test_locks_are_found_by_name_and_owner(reader: Client):
    run(locks.acquire("deploy", "ann"))
    run(locks.acquire("backup", "bob"))
    assert keys(reader.get("/ui/locks/?q=DEPLOY")) == ["deploy"]
    assert keys(reader.get("/ui/locks/?q=bob")) == ["backup"]
    assert sorted(keys(reader.get("/ui/locks/"))) == ["backup", "deploy"]
    nothing = text_of(reader.get("/ui/locks/?q=nobody"))
    assert "Nothing was found" in nothing
    assert "2 are held" in nothing


def test_processes_are_found_by_name_host_and_issue(reader: Client):
    run(processes.register("agent-1", host="kitchen-pc"))
    run(processes.register("agent-2", host="attic", role="reviewer"))
    assert keys(reader.get("/ui/processes/?q=agent-1")) == ["agent-1"]
    assert keys(reader.get("/ui/processes/?q=ATTIC")) == ["agent-2"]
    assert keys(reader.get("/ui/processes/?q=agent reviewer")) == ["agent-2"]
    assert "2 alive" in text_of(reader.get("/ui/processes/?q=attic"))


def test_label_requests_are_found_by_issue(reader: Client):
    for number in (7, 8):
        run(checkouts.update(number, IssueStatus.ERROR))
    page = reader.get("/ui/labels/?status=queued&q=%237")
    assert len(keys(page)) == 1
    assert len(keys(reader.get("/ui/labels/?status=queued"))) == 2
    assert 'name="status" value="queued"' in text_of(page)


def test_a_search_looks_at_so_many_and_goes_on_where_it_stopped(reader: Client, monkeypatch):
    monkeypatch.setattr(looking, "_STRIDE", 2)
    monkeypatch.setattr(looking, "SEARCHED", 4)
    for number in range(9):
        run(locks.acquire(f"lock-{number}", "rare" if number % 4 == 0 else "common"))
    path, seen, pages = "/ui/locks/?q=rare&order=last", [], 0
    while path:
        answer = reader.get(path)
        seen += keys(answer)
        pages += 1
        following = next_of(answer)
        assert not following or ("q=rare" in following and "order=last" in following)
        path = f"/ui/locks/{following}" if following else ""
    assert sorted(seen) == ["lock-0", "lock-4", "lock-8"]
    assert pages == 3


@pytest.mark.parametrize("path", ["/ui/locks/", "/ui/processes/", "/ui/labels/"])
@pytest.mark.parametrize("text", [HOSTILE, "\0", "あ" * 300])
def test_what_is_searched_for_is_text(path, text, reader: Client):
    page = text_of(reader.get(path, {"q": text}))
    assert "<script>alert" not in page
    japanese = text_of(reader.get(path, {"q": text}, headers={"accept-language": "ja"}))
    assert "Search" not in re.sub(r"<[^>]*>", "", japanese)


@pytest.mark.parametrize("path", ["/ui/locks/", "/ui/processes/", "/ui/labels/"])
def test_what_is_no_cursor_leads_to_the_list(path, reader: Client):
    answer = reader.get(path, {"q": "x", "cursor": "x"})
    assert (answer.status_code, answer["Location"]) == (302, path)
