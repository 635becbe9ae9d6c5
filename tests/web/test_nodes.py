"""Push nodes on the pages: what is the matter with one is said, and new ones are taken in."""

from __future__ import annotations

import pytest
from django.test import Client

from orchard.domain.nodes import Condition
from orchard.models import AuditEntry
from orchard.services import dispatch, fleet, queries, run
from tests.nodes import PushNode
from tests.web.test_pages import text_of

URL = "http://10.1.2.3:9000"
PLACE = "/ui/workers/http-10.1.2.3:9000/"


def ail(condition: Condition, reason: str) -> None:
    run(fleet.register(url=URL, mode="push"))
    run(dispatch.note_fault(URL, condition, reason))


@pytest.mark.parametrize(
    ("condition", "word", "state"),
    [
        (Condition.UNREACHABLE, "unreachable", "offline"),
        (Condition.FORBIDDEN, "address not allowed", "offline"),
        (Condition.BREAKING, "breaks off", "ailing"),
        (Condition.FAILING, "fails", "ailing"),
        (Condition.NONSENSE, "answers nonsense", "ailing"),
        (Condition.SLOW, "too slow", "ailing"),
    ],
)
def test_a_node_is_shown_as_what_it_is(reader: Client, condition, word, state):
    ail(condition, "it answered with an error: 500 <script>alert(1)</script>")
    for path in ("/ui/workers/", "/ui/workers/list", PLACE):
        page = text_of(reader.get(path))
        assert f'data-status="{state}"' in page
        assert f"<b>{word}</b>" in page
        assert "it answered with an error: 500 &lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page
        assert "next attempt" in page


def test_reasons_are_told_in_the_viewers_language(reader: Client):
    ail(Condition.FAILING, "it answered with an error: 500 Error")
    page = text_of(reader.get(PLACE, headers={"accept-language": "ja"}))
    assert "エラーを返しました: 500 Error" in page
    assert "次の試行" in page


def test_a_node_that_is_well_says_when_it_was_asked(reader: Client):
    run(fleet.register(url=URL, mode="push"))
    run(dispatch.note_sign(URL))
    page = text_of(reader.get(PLACE))
    assert "<dt>Last asked how it is</dt><dd><time" in page
    assert "node-state" not in page


def test_an_agent_has_nothing_of_a_node(reader: Client):
    run(fleet.register(name="kitchen"))
    assert "node-" not in text_of(reader.get("/ui/workers/kitchen/"))


def test_nodes_in_trouble_can_be_picked_out(reader: Client):
    ail(Condition.SLOW, "it did not finish in time: 9 s")
    run(fleet.register(name="kitchen"))
    page = text_of(reader.get("/ui/workers/?status=ailing"))
    assert 'id="http-10.1.2.3:9000"' in page
    assert 'id="kitchen"' not in page


def test_a_node_is_added_by_its_address(operator: Client):
    assert 'action="/ui/workers/add"' in text_of(operator.get("/ui/workers/"))
    with PushNode() as node:
        answer = operator.post("/ui/workers/add", {"url": f"127.0.0.1:{node.port}"}, follow=True)
        assert "The node was added; it answers." in text_of(answer)
        (worker,) = run(queries.list_workers())
        assert (worker.url, worker.mode) == (node.url, "push")
        again = operator.post("/ui/workers/add", {"url": node.url}, follow=True)
        assert "This worker is in the fleet already." in text_of(again)
    (entry,) = AuditEntry.objects.filter(action="worker.add")
    assert entry.facts == {"worker": node.worker_id}


def test_a_node_that_sleeps_is_added_and_said_not_to_answer(operator: Client):
    answer = operator.post("/ui/workers/add", {"url": "127.0.0.1:1"}, follow=True)
    assert "It does not answer yet; it will be tried again." in text_of(answer)
    assert "it cannot be reached" in text_of(operator.get("/ui/workers/"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("169.254.169.254", "no node is at a metadata address: 169.254.169.254"),
        ("8.8.8.8", "this is in none of the networks of ORCHARD_NODE_NETWORKS: 8.8.8.8"),
        ("ftp://x", "not an http address of a host and port"),
        ("", "URL is required"),
        ("<b>x</b>", "not an http address of a host and port"),
    ],
)
def test_an_address_that_will_not_do_is_refused_with_the_reason(operator: Client, url, reason):
    answer = operator.post("/ui/workers/add", {"url": url}, follow=True)
    assert f"This address was not added: {reason}." in text_of(answer)
    assert run(queries.list_workers()) == []
    assert not AuditEntry.objects.exists()


def test_who_may_only_look_can_add_none(reader: Client):
    assert "/ui/workers/add" not in text_of(reader.get("/ui/workers/"))
    assert reader.post("/ui/workers/add", {"url": URL}).status_code == 403
    assert Client().post("/ui/workers/add", {"url": URL}).status_code == 302
    assert run(queries.list_workers()) == []
