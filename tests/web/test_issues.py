"""The pages of issues, processes, locks and label requests: what they show, and their buttons."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orchard.models import AuditEntry
from orchard.services import engine as engine_service
from orchard.services import queries
from statecore.domain.entries import Put
from statecore.domain.issues import Holder
from statecore.domain.lifecycle import IssueStatus, LabelStatus
from statecore.services import checkouts, labels, locks, namespaced, processes, run
from statecore.store.clock import ManualClock
from statecore.store.redis import RedisStore
from tests.web.test_pages import Outline, text_of

PAGES = ["/ui/issues/", "/ui/issues/?status=error", "/ui/processes/", "/ui/locks/", "/ui/labels/"]
ACTIONS = [
    "/ui/issues/repair",
    *(f"/ui/issues/7/{name}" for name in ("repair", "check-in", "status", "reset")),
    "/ui/processes/clean-zombies",
    "/ui/processes/p/clean-up",
    "/ui/locks/l/release",
    "/ui/labels/retry-failed",
    "/ui/labels/x/retry",
]
YES = {"confirmed": "1"}
HOSTILE = '"><script>alert(1)</script>'
PENDING, ERROR = IssueStatus.PENDING, IssueStatus.ERROR


def hold(number: int = 7, process: str = "agent-1", **facts: Any):
    """An issue that a process has checked out."""
    return run(checkouts.check_out(number, Holder(process_id=process, **facts)))


def rest(number: int, status: IssueStatus = ERROR) -> None:
    """An issue that nobody holds."""
    run(checkouts.update(number, status))


def entitle(number: int, title: str, status: str = "pending") -> None:
    """An issue whose record has a title, as other programs write it."""
    raw = f'{{"status": "{status}", "title": {title!r}}}'.replace("'", '"').encode()
    run(namespaced.put_many([Put(namespace="issues", key=str(number), raw=raw)]))


def status_of(number: int) -> str:
    return run(checkouts.get(number)).status


def notices(answer) -> list[str]:
    """What was said last; what was said before has not been shown yet in these tests."""
    return [str(message) for message in answer.context["messages"]][-1:]


@pytest.fixture
def orphan(store, clock: ManualClock) -> int:
    """The number of an issue whose process has been silent for too long."""
    hold(7)
    clock.advance(seconds=60)
    return 7


# -- permissions -------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, "/ui/issues/7/"])
def test_strangers_are_led_to_the_sign_in_page(path, db, client: Client):
    client.logout()
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=")


@pytest.mark.parametrize("path", ACTIONS)
def test_nobody_acts_but_an_operator_with_a_token_of_the_page(path, reader, operator, staff):
    hold(7)
    assert Client().post(path, YES)["Location"].startswith("/login")
    assert reader.post(path, YES).status_code == 403
    assert operator.get(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    assert strict.post(path, YES).status_code == 403
    assert status_of(7) == "processing"
    assert not AuditEntry.objects.exists()


def test_whoever_may_only_look_sees_everything_and_no_buttons(orphan, reader: Client):
    run(locks.acquire("deploy", "ann"))
    rest(8)
    for path in [*PAGES, "/ui/issues/7/"]:
        page = Outline(text_of(reader.get(path)))
        forms = {form.get("action") for form in page.all("form") if form.get("method") == "post"}
        assert forms == {"/i18n/setlang/", "/logout"}, path


# -- what is shown -----------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_render_without_anything_in_them(path, language, reader: Client):
    page = text_of(reader.get(path, headers={"accept-language": language}))
    assert ("ロック" if language == "ja" else "Locks") in page


def test_the_board_has_a_column_for_each_state_with_its_count(operator, clock: ManualClock):
    for number in range(1, 12):
        rest(number, PENDING)
        clock.advance(seconds=1)
    hold(20, "agent-1", task_type="review")
    page = text_of(operator.get("/ui/issues/"))
    columns = re.findall(r'<section class="column" data-status="([^"]+)"', page)
    assert columns == ["pending", "processing", "awaiting-response", "error", "completed"]
    assert page.count('class="issue"') == 8 + 1
    assert "3 more" in page
    assert page.index("#11<") < page.index("#4<")
    assert "#3<" not in page
    assert "agent-1" in page
    assert "review" in page


def test_a_card_counts_down_by_the_clock_of_the_engine(operator: Client, clock: ManualClock):
    issue = hold(7, ttl_ms=90_000)
    page = text_of(operator.get("/ui/issues/"))
    assert issue.lease_until
    assert f'data-until="{issue.lease_until.isoformat()}" data-whole="90000"' in page
    assert f'data-clock="{run(queries.clock()).isoformat()}"' in page
    assert f'data-falls="{(issue.start_time + timedelta(seconds=90)).isoformat()}"' in page


def test_orphans_are_marked_with_the_reason(orphan, operator: Client):
    page = text_of(operator.get("/ui/issues/"))
    assert "One issue is held by nobody alive" in page
    assert "its process has been silent for too long" in page
    listed = text_of(operator.get("/ui/issues/?status=orphaned"))
    assert 'data-key="7"' in listed
    japanese = text_of(operator.get("/ui/issues/7/", headers={"accept-language": "ja"}))
    assert "プロセスからの連絡が途絶えています" in japanese


def test_the_page_of_an_issue_shows_record_history_and_requests(operator: Client):
    entitle(7, "録音が切れる")
    hold(7, "agent-1", host="pi", pid=4)
    run(checkouts.check_in(7, ERROR, {"error": "tests failed"}))
    page = text_of(operator.get("/ui/issues/7/"))
    assert "録音が切れる" in page
    assert "tests failed" in page
    assert "agent-1 checked it out" in page
    assert "agent-1: checked in as “error”" in page
    assert page.index("checked in as") < page.index("checked it out")
    assert "&quot;checkedOutBy&quot;: &quot;agent-1&quot;" in page
    requests = run(labels.of_issue(7))
    assert requests
    assert all(f'data-key="{one.request_id}"' in page for one in requests)
    assert 'data-topic="issue:7"' in page


def test_what_programs_call_things_is_shown_as_text(operator: Client):
    entitle(7, "<script>alert(1)</script>")
    run(checkouts.check_out(8, Holder(process_id="<i>agent", task_type=HOSTILE)))
    run(locks.acquire("<b>lock", "<b>owner"))
    run(checkouts.check_in(8, ERROR, {"error": HOSTILE}))
    run(processes.register("<u>process", role=HOSTILE))
    for path in [*PAGES, "/ui/issues/7/", "/ui/issues/8/", f"/ui/issues/?q={HOSTILE}"]:
        page = text_of(operator.get(path))
        assert "<script>alert" not in page, path
        assert not re.search(r"<[ibu]>(agent|lock|owner|process)", page), path
    assert "&lt;script&gt;alert(1)" in text_of(operator.get("/ui/issues/7/"))


def test_one_damaged_record_hides_nothing_else(operator: Client, store):
    rest(7)
    rest(8)
    damage(store, 8)
    page = text_of(operator.get("/ui/issues/"))
    assert 'data-key="7"' in page
    assert "The record of #8 cannot be read." in page
    answer = operator.get("/ui/issues/8/")
    assert answer.status_code == 404
    assert "The record of issue #8" in answer.content.decode()


def damage(store, number: int) -> None:
    from statecore.store import ops

    write = ops.HashSet("poppo:state:issues", {str(number): b"{nonsense"})
    store.commit({}, [write])


@pytest.mark.parametrize("number", ["5", "0", str(10**30)])
def test_an_issue_that_nobody_knows_has_a_page_that_says_so(number, operator: Client):
    answer = operator.get(f"/ui/issues/{number}/")
    assert answer.status_code == 404
    assert 'href="/ui/issues/"' in answer.content.decode()


def test_processes_are_shown_with_what_they_hold_the_dead_first(operator, clock: ManualClock):
    run(processes.register("old-agent", host="attic", pid=9))
    hold(7, "old-agent", ttl_ms=80_000_000)
    clock.advance(seconds=7200)
    run(processes.register("young-agent"))
    page = text_of(operator.get("/ui/processes/"))
    assert "One process is dead" in page
    assert page.index("old-agent") < page.index("young-agent")
    assert 'href="/ui/issues/7/"' in page
    assert "attic · 9" in page


def test_locks_are_shown_with_owner_and_token(reader: Client):
    lock = run(locks.acquire("配備", "ann@desk"))
    page = text_of(reader.get("/ui/locks/"))
    assert all(part in page for part in ("配備", "ann@desk", str(lock.token), "data-until="))


def test_label_requests_are_shown_with_errors_and_tries(operator: Client):
    rest(7)
    (claimed,) = run(labels.claim(1))
    run(labels.mark_failed(claimed.request_id, "502 Bad Gateway"))
    page = text_of(operator.get("/ui/labels/"))
    assert "502 Bad Gateway" in page
    assert "data-until=" in page
    assert f"/ui/labels/{claimed.request_id}/retry" in page


# -- finding -----------------------------------------------------------------------


def test_a_number_leads_to_its_issue_and_a_text_to_a_search(reader: Client):
    assert reader.get("/ui/issues/find?q=%237")["Location"] == "/ui/issues/7/"
    found = reader.get("/ui/issues/find?q=agent&status=error")["Location"]
    assert found.startswith("/ui/issues/?")
    assert "status=error" in found
    assert "q=agent" in found


def test_issues_are_searched_by_title_process_and_task(reader: Client):
    entitle(1, "Upload stops")
    hold(2, "uploader-9")
    rest(3)
    page = text_of(reader.get("/ui/issues/?q=UPLOAD"))
    assert sorted(re.findall(r'<tr data-key="(\d+)"', page)) == ["1", "2"]
    assert "Nothing was found" in text_of(reader.get("/ui/issues/?q=zzz"))


def test_a_list_goes_on_page_by_page_in_the_order_of_the_address(reader: Client):
    for number in range(1, 61):
        rest(number)
    seen: list[str] = []
    path: str | None = "/ui/issues/?status=error&order=oldest"
    while path:
        page = text_of(reader.get(path))
        seen += re.findall(r'<tr data-key="(\d+)"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = "/ui/issues/" + older[1].replace("&amp;", "&") if older else None
    assert sorted(seen, key=int) == [str(number) for number in range(1, 61)]


@pytest.mark.parametrize("path", ["/ui/issues/", "/ui/processes/", "/ui/locks/", "/ui/labels/"])
@pytest.mark.parametrize(
    "query", ["status=x", "cursor=rubbish", "cursor=%00", "order=%00", "q=%20"]
)
def test_wrong_addresses_lead_to_the_page(path, query, reader: Client):
    assert reader.get(f"{path}?{query}", follow=True).status_code == 200


# -- acting ------------------------------------------------------------------------


def test_orphans_are_shown_before_they_are_repaired_and_only_those(orphan, operator: Client):
    asked = operator.post("/ui/issues/repair")
    page = asked.content.decode()
    assert "Are you sure?" in page
    assert 'name="number" value="7"' in page
    assert status_of(7) == "processing"
    done = operator.post("/ui/issues/repair", {**YES, "number": ["7", "99"]}, follow=True)
    assert notices(done) == ["1 issue was repaired. 1 was no orphan any more."]
    assert status_of(7) == "error"
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.facts["left_alone"]) == ("ann", "issue.repair", 1)
    assert entry.facts["repaired"][0]["process"] == "agent-1"


def test_without_orphans_there_is_nothing_to_confirm(operator: Client):
    hold(7)
    answer = operator.post("/ui/issues/repair", follow=True)
    assert notices(answer) == ["There are no orphans."]


def test_one_orphan_is_repaired_and_whoever_comes_second_is_told(orphan, operator: Client):
    operator.post("/ui/issues/7/repair", YES)
    assert status_of(7) == "error"
    second = operator.post("/ui/issues/7/repair", YES, follow=True)
    assert notices(second) == ["It was no orphan any more; nothing was changed."]


def test_an_issue_is_taken_back_from_the_holder_that_was_seen(operator: Client):
    token = hold(7).token
    form = {"status": "pending", "token": str(token)}
    asked = operator.post("/ui/issues/7/check-in", form).content.decode()
    assert 'name="status" value="pending"' in asked
    assert status_of(7) == "processing"
    operator.post("/ui/issues/7/check-in", {**form, **YES})
    assert status_of(7) == "pending"
    facts = AuditEntry.objects.get().facts
    assert (facts["before"]["status"], facts["after"]["status"]) == ("processing", "pending")
    hold(7, "agent-2")
    late = operator.post("/ui/issues/7/check-in", {**form, **YES}, follow=True)
    assert "Somebody else has taken this over" in notices(late)[0]
    assert status_of(7) == "processing"


def test_the_state_of_a_free_issue_is_set_and_a_held_one_is_left_alone(operator: Client):
    rest(7)
    operator.post("/ui/issues/7/status", {"status": "completed"})
    assert status_of(7) == "completed"
    hold(7)
    refused = operator.post("/ui/issues/7/status", {"status": "error"}, follow=True)
    assert notices(refused) == ["Somebody else holds this work now."]
    assert status_of(7) == "processing"


@pytest.mark.parametrize("form", [{}, {"status": "nonsense"}, {"status": "processing"}])
def test_a_wrong_state_changes_nothing(form, operator: Client):
    rest(7)
    assert notices(operator.post("/ui/issues/7/status", form, follow=True))
    assert status_of(7) == "error"
    assert not AuditEntry.objects.exists()


def test_an_issue_is_forgotten_and_what_it_was_is_written_down(operator: Client):
    entitle(7, "A title")
    assert "Are you sure?" in operator.post("/ui/issues/7/reset").content.decode()
    assert operator.post("/ui/issues/7/reset", YES)["Location"] == "/ui/issues/"
    assert operator.get("/ui/issues/7/").status_code == 404
    assert AuditEntry.objects.get().facts["before"]["title"] == "A title"


def test_a_process_is_ended_after_one_saw_what_it_holds(operator: Client):
    hold(7, "agent-1")
    asked = operator.post("/ui/processes/agent-1/clean-up").content.decode()
    assert "#7" in asked
    assert status_of(7) == "processing"
    done = operator.post("/ui/processes/agent-1/clean-up", YES, follow=True)
    assert notices(done) == ["The process was ended; 1 issue was given back."]
    assert status_of(7) == "error"
    assert AuditEntry.objects.get().facts == {"given_back": [7]}


def test_of_the_dead_only_those_are_cleaned_up_that_were_seen(operator, clock: ManualClock):
    for name in ("seen", "unseen"):
        run(processes.register(name))
    hold(7, "seen", ttl_ms=80_000_000)
    clock.advance(seconds=7200)
    asked = operator.post("/ui/processes/clean-zombies").content.decode()
    assert 'name="process" value="seen"' in asked
    done = operator.post(
        "/ui/processes/clean-zombies", {**YES, "process": ["seen", "gone"]}, follow=True
    )
    assert notices(done) == ["Ended: 1. Issues given back: 1. Alive again or gone: 1."]
    assert status_of(7) == "error"
    assert [one.process_id for one, _ in run(processes.list_zombies())] == ["unseen"]


def test_a_lock_is_freed_only_from_the_owner_that_was_seen(operator: Client):
    lock = run(locks.acquire("deploy", "ann"))
    stale = operator.post("/ui/locks/deploy/release", {**YES, "token": "1"}, follow=True)
    assert "Somebody else has taken this over" in notices(stale)[0]
    operator.post("/ui/locks/deploy/release", {**YES, "token": str(lock.token)})
    assert run(locks.list_locks()) == []
    assert AuditEntry.objects.get().facts["before"]["owner"] == "ann"


def test_label_requests_that_were_given_up_are_tried_again(operator: Client):
    for number in (7, 8, 9):
        rest(number)
    for one in run(labels.claim(3)):
        run(labels.mark_failed(one.request_id, "403", final=True))
    first = run(labels.list_requests(LabelStatus.FAILED)).requests[0]
    operator.post(f"/ui/labels/{first.request_id}/retry")
    assert run(labels.get(first.request_id)).status is LabelStatus.QUEUED
    done = operator.post("/ui/labels/retry-failed", YES, follow=True)
    assert notices(done) == ["2 label requests are tried again."]
    assert run(labels.count_by_status())[LabelStatus.FAILED] == 0


@pytest.mark.parametrize("path", [one for one in ACTIONS if "retry-failed" not in one])
def test_what_is_gone_is_told_and_breaks_nothing(path, operator: Client):
    form = {**YES, "status": "error", "token": "1"}
    answer = operator.post(path, form, follow=True, headers={"referer": "http://testserver/ui/"})
    assert answer.request["PATH_INFO"] in ("/", "/ui/", "/ui/issues/")
    assert notices(answer) if answer.status_code == 200 else True


# -- the pages as such -------------------------------------------------------------


def test_pages_say_so_when_the_engine_is_away(operator: Client):
    away = RedisStore("redis://127.0.0.1:1/0")
    before = engine_service.use(away)
    try:
        for path in [*PAGES, "/ui/issues/7/"]:
            answer = operator.get(path)
            assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        done = operator.post("/ui/issues/7/reset", YES)
        assert done.status_code == 302
    finally:
        engine_service.use(before)
        away.close()
    assert not AuditEntry.objects.exists()


def test_no_id_is_given_twice_and_every_control_has_a_name(orphan, operator: Client):
    hold(8, "agent-2")
    run(locks.acquire("deploy", "ann"))
    for path in [*PAGES, "/ui/issues/7/", "/ui/issues/8/"]:
        answer = operator.get(path)
        page = Outline(text_of(answer))
        ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
        assert len(ids) == len(set(ids)), path
        named = {attrs.get("for") for attrs in page.all("label")}
        fields = [a for a in page.all("input") if a.get("type") != "hidden"] + page.all("select")
        assert all(field.get("id") in named for field in fields), path
        assert not [a for _, a in page.tags if "style" in a or "onclick" in a], path


def test_everything_is_said_in_japanese(orphan, operator: Client):
    run(locks.acquire("l", "o"))
    for path in [*PAGES, "/ui/issues/7/"]:
        page = text_of(operator.get(path, headers={"accept-language": "ja"}))
        main = page[page.index("<main") : page.index("</main>")]
        words = re.sub(r"<(code|pre|time)[^>]*>.*?</\1>|<[^>]+>", " ", main, flags=re.DOTALL)
        left = set(re.findall(r"[A-Za-z]{4,}", words))
        assert left <= {"agent", "claude", "JSON", "Issue", "processing"}, (path, left)
