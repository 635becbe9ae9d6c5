"""Cleaning by hand: selected, previewed, confirmed, done in steps, stopped, and written down."""

from __future__ import annotations

import os
import re
import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from orchard.cleaning import runs
from orchard.cleaning.counts import count_waiting
from orchard.cleaning.deeds import DEEDS
from orchard.cleaning.things import KINDS
from orchard.models import AuditEntry, CleaningRun, SignInLink
from orchard.services import engine, pipeline, run, selections, submissions
from orchard.web import cleanup
from statecore import keys
from statecore.domain.issues import Claimant, Holder
from statecore.services import (
    checkouts,
    issue_lists,
    locks,
    migration_flag,
    namespaced,
    processes,
)
from statecore.store.base import Store
from statecore.store.clock import ManualClock
from statecore.store.ops import SetAdd
from statecore.store.redis import RedisStore
from tests.conftest import EngineServer
from tests.services import orchards

pytestmark = pytest.mark.django_db


def select(client: Client, deed: str, *, follow: bool = False, **data: object) -> CleaningRun:
    """The run that a selection leads to."""
    answer = client.post("/ui/cleanup/preview", {"deed": deed, **data})
    assert answer.status_code == 302, answer.content
    return CleaningRun.objects.get(pk=int(answer["Location"].split("/")[3]))


def carry_out(client: Client, cleaning: CleaningRun) -> CleaningRun:
    """Confirm a run and let it come to its end."""
    client.post(f"/ui/cleanup/{cleaning.pk}/begin")
    for _ in range(200):
        answer = client.post(
            f"/ui/cleanup/{cleaning.pk}/step", headers={"X-Requested-With": "fetch"}
        )
        if answer.json()["state"] == "done":
            break
    cleaning.refresh_from_db()
    return cleaning


def test_nothing_happens_before_it_is_confirmed(operator: Client):
    job = orchards.submit()
    cleaning = select(operator, "job.delete", name=job.job_id)
    page = operator.get(f"/ui/cleanup/{cleaning.pk}/").content.decode()
    assert job.job_id in page
    assert "They cannot come back" in page
    assert run(submissions.get_record(job.job_id)).job_id == job.job_id
    assert (cleaning.state, cleaning.total) == ("previewed", 1)
    done = carry_out(operator, cleaning)
    assert (done.state, done.done, done.skipped) == ("done", 1, 0)
    assert list(KINDS["jobs"].all({})) == []
    entry = AuditEntry.objects.get(action="job.delete")
    assert (entry.who, entry.subject) == (cleaning.who, job.job_id)
    assert entry.facts["before"]["status"] == "created"


def test_all_that_a_filter_finds(operator: Client):
    jobs = [orchards.submit() for _ in range(5)]
    for job in jobs[:3]:
        run(submissions.cancel(job.job_id))
    page = operator.get("/ui/cleanup/?kind=jobs&status=cancelled").content.decode()
    assert page.count('name="name"') == 3
    done = carry_out(operator, select(operator, "job.delete", all="1", status="cancelled"))
    assert (done.total, done.done) == (3, 3)
    assert len(list(KINDS["jobs"].all({}))) == 2


def test_what_vanished_or_changed_meanwhile_is_skipped_and_told(operator: Client):
    jobs = [orchards.submit() for _ in range(3)]
    cleaning = select(operator, "job.cancel", name=[job.job_id for job in jobs])
    run(submissions.remove(jobs[0].job_id))
    run(submissions.cancel(jobs[1].job_id))
    done = carry_out(operator, cleaning)
    assert (done.done, done.skipped) == (1, 2)
    assert {name: why.split(":")[0] for name, why in done.problems} == {
        jobs[0].job_id: "unknown_job", jobs[1].job_id: "transition_refused",
    }  # fmt: skip
    page = operator.get(f"/ui/cleanup/{cleaning.pk}/").content.decode()
    assert "This job no longer exists" in page
    assert AuditEntry.objects.filter(action="job.cancel").count() == 1


def test_what_is_gone_before_the_preview_is_told_there(operator: Client):
    jobs = [orchards.submit().job_id for _ in range(3)]
    run(submissions.remove(jobs[0]))
    data = {"deed": "job.cancel", "name": jobs}
    page = operator.post("/ui/cleanup/preview", data, follow=True).content.decode()
    assert "1 of the selected is gone already." in page
    assert CleaningRun.objects.get().total == 2


def test_a_run_is_stopped_and_goes_on(operator: Client):
    for _ in range(120):
        orchards.submit()
    cleaning = select(operator, "job.cancel", all="1")
    operator.post(f"/ui/cleanup/{cleaning.pk}/begin")
    cleaning.refresh_from_db()
    runs.step(cleaning, budget_s=0)
    assert 0 < cleaning.position < 120
    operator.post(f"/ui/cleanup/{cleaning.pk}/stop")
    cleaning.refresh_from_db()
    at = cleaning.position
    assert runs.step(cleaning).position == at
    assert carry_out(operator, cleaning).done == 120


def test_whoever_comes_second_is_told(operator: Client):
    orchards.submit()
    cleaning = select(operator, "job.cancel", all="1")
    assert carry_out(operator, cleaning).state == "done"
    answer = operator.post(f"/ui/cleanup/{cleaning.pk}/begin", follow=True)
    assert "Somebody else was faster" in answer.content.decode()


def test_nothing_selected_and_a_filter_that_matches_nothing(operator: Client):
    answer = operator.post("/ui/cleanup/preview", {"deed": "job.cancel"}, follow=True)
    assert "Nothing was selected" in answer.content.decode()
    page = operator.get("/ui/cleanup/?kind=jobs&q=no-such-name").content.decode()
    assert "The filter matches nothing" in page
    cleaning = select(operator, "job.cancel", all="1", q="no-such-name")
    assert cleaning.total == 0
    assert "begin" not in operator.get(f"/ui/cleanup/{cleaning.pk}/").content.decode()


def test_chunks_are_requeued_and_given_up(operator: Client):
    job = orchards.processing(3)
    orchards.worker("w1")
    held = orchards.name_of(orchards.claim("w1")[0])
    found = {thing.name: thing.state for thing in KINDS["chunks"].all({})}
    assert found[held] == "running"
    assert carry_out(operator, select(operator, "chunk.requeue", name=held)).done == 1
    assert {thing.state for thing in KINDS["chunks"].all({})} == {"waiting"}
    assert carry_out(operator, select(operator, "chunk.fail", all="1")).done == 3
    assert run(submissions.get_record(job.job_id)).failed_chunks == 3


def test_every_other_deed_does_what_it_says(operator: Client):
    orchards.worker("w1")
    run(checkouts.check_out(5, Holder(process_id="agent-1")))
    run(checkouts.check_out(6, Holder(process_id="agent-2", pid=2**40, host=_here())))
    run(locks.acquire("deploy", "me"))
    run(namespaced.put("custom", "a/b", {"x": 1}))
    for deed, name in (
        ("worker.drain", "w1"), ("worker.resume", "w1"), ("worker.pause", "w1"),
        ("worker.remove", "w1"), ("issue.release", "5"), ("issue.reset", "5"),
        ("issue.repair", "6"), ("process.clean", "agent-2"), ("lock.release", "deploy"),
    ):  # fmt: skip
        done = carry_out(operator, select(operator, deed, name=name))
        assert (done.done, done.problems) == (1, []), deed
    selected = select(operator, "entry.delete", name="custom/a/b", namespace="custom")
    assert carry_out(operator, selected).done == 1
    assert run(checkouts.get(6)).status == "error"
    assert run(processes.get("agent-2")).status == "ended"
    assert list(KINDS["locks"].all({})) == []
    assert list(KINDS["entries"].all({"namespace": "custom"})) == []
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"lock.release"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page_in_both_languages(reader: Client, kind):
    for language in ("en", "ja"):
        page = reader.get(f"/ui/cleanup/?kind={kind}", headers={"Accept-Language": language})
        assert page.status_code == 200
        assert "deed" not in page.content.decode()  # whoever may only look gets no buttons


def test_only_staff_may_act_and_strangers_see_nothing(reader: Client, client: Client):
    job = orchards.submit()
    cleaning = runs.prepare(DEEDS["job.cancel"], {}, [job.job_id], "ann")
    for path in ("preview", f"{cleaning.pk}/begin", f"{cleaning.pk}/step", f"{cleaning.pk}/stop"):
        assert reader.post(f"/ui/cleanup/{path}", {"deed": "job.cancel"}).status_code == 403
        assert client.post(f"/ui/cleanup/{path}").status_code in (302, 403)
    assert client.get("/ui/cleanup/").status_code == 302
    assert reader.get(f"/ui/cleanup/{cleaning.pk}/").status_code == 200
    cleaning.refresh_from_db()
    assert cleaning.state == "previewed"


def test_names_from_users_are_shown_as_text(operator: Client):
    run(namespaced.put("custom", "<script>alert(1)</script>", "<b>"))
    page = operator.get("/ui/cleanup/?kind=entries&namespace=custom").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("path", ["?kind=nothing", "999/", "999/begin"])
def test_what_is_not_there_is_not_found(operator: Client, path):
    method = operator.post if path.endswith("begin") else operator.get
    assert method(f"/ui/cleanup/{path}").status_code == 404


def _here() -> str:
    return socket.gethostname()


def test_django_people_find_it_in_the_administration(client: Client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))
    cleaning = runs.prepare(DEEDS["job.cancel"], {}, [], "ann")
    page = client.get("/admin/orchard/cleaningrun/").content.decode()
    assert f"/ui/cleanup/{cleaning.pk}/" in page
    assert 'href="/ui/cleanup/"' in page
    assert client.get("/admin/").content.decode().count("/admin/orchard/cleaningrun/") > 0
    assert client.get(f"/admin/orchard/cleaningrun/{cleaning.pk}/change/").status_code == 200


def test_what_has_passed_its_time_is_counted_and_let_go(
    operator: Client, clock: ManualClock, settings
):
    job = orchards.submit()
    run(submissions.cancel(job.job_id))
    orchards.worker("gone")
    run(locks.acquire("deploy", "me", 1_000))
    SignInLink.objects.create(
        digest="x", user=User.objects.get(), expires_at=timezone.now() - timedelta(days=1)
    )
    clock.advance(7_200)
    orchards.worker("here")
    orchards.submit()
    found = {thing.name for thing in KINDS["expired"].all({})}
    link = SignInLink.objects.get().pk
    assert found == {f"jobs/{job.job_id}", "workers/agent://gone", "locks/deploy", f"links/{link}"}
    assert count_waiting()["expired"] == 4
    assert [one.name for one in KINDS["expired"].all({"pile": "locks"})] == ["locks/deploy"]
    both = [select(operator, "expired.purge", all="1") for _ in range(2)]
    done, late = (carry_out(operator, one) for one in both)
    assert (done.done, done.skipped, late.done, late.skipped) == (4, 0, 0, 4)
    assert list(KINDS["expired"].all({})) == []
    assert "expired" not in count_waiting()
    assert len(list(KINDS["jobs"].all({}))) == 1


def test_files_without_a_job_are_let_go_and_those_of_a_job_stay(operator: Client, settings):
    for job_id, age_s in (("0" * 16, 7_200), ("1" * 16, 0), (orchards.submit().job_id, 7_200)):
        path = Path(settings.MEDIA_ROOT) / "jobs" / job_id / "source.wav"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"sound")
        os.utime(path, (time.time() - age_s,) * 2)
    assert [one.name for one in KINDS["expired"].all({})] == ["files/" + "0" * 16]
    assert carry_out(operator, select(operator, "expired.purge", all="1")).done == 1
    assert len(list((Path(settings.MEDIA_ROOT) / "jobs").iterdir())) == 2


def test_a_mark_of_a_process_that_nobody_knows_is_let_go(operator: Client, store: Store):
    store.commit({}, [SetAdd(keys.PROCESSES_ZOMBIES, ("ghost",))])
    assert [one.name for one in KINDS["expired"].all({})] == ["processes/ghost"]
    assert carry_out(operator, select(operator, "expired.purge", all="1")).done == 1
    assert list(KINDS["processes"].all({})) == []


def test_the_migration_flag_is_reset_once(operator: Client):
    assert list(KINDS["migration"].all({})) == []
    run(migration_flag.set_flag({"issues": 3}, {}))
    both = [select(operator, "state.reset_migration", all="1") for _ in range(2)]
    done, late = (carry_out(operator, one) for one in both)
    assert (done.done, late.done, late.skipped) == (1, 0, 1)
    assert run(migration_flag.read_flag()) is None
    entry = AuditEntry.objects.get(action="state.reset_migration")
    assert '"issues":3' in entry.facts["before"]["value"]


def test_dead_letters_start_again_with_their_job_or_alone_while_it_runs(operator: Client):
    job = orchards.processing(2)
    first = f"{job.job_id}_chunk_0"
    assert carry_out(operator, select(operator, "chunk.fail", name=first)).done == 1
    dead = select(operator, "chunk.requeue", all="1", chunk_status="failed")
    assert carry_out(operator, dead).done == 1
    assert run(submissions.get_record(job.job_id)).failed_chunks == 0
    assert {thing.state for thing in KINDS["chunks"].all({})} == {"waiting"}
    again = carry_out(operator, select(operator, "chunk.requeue", name=first))
    assert "transition_refused" in again.problems[0][1]
    failed = orchards.submit()
    stage = run(pipeline.claim_stage("p"))
    run(pipeline.fail_stage(failed.job_id, stage.stage.token, "broken", retry=False))
    (letter,) = KINDS["letters"].all({})
    assert "broken" in letter.shown
    assert count_waiting()["letters"] == 1
    assert carry_out(operator, select(operator, "letter.retry", all="1")).done == 1
    assert run(submissions.get_record(failed.job_id)).status == "created"


def test_what_has_become_something_else_since_its_preview_is_left_alone(operator: Client):
    run(locks.acquire("deploy", "me"))
    run(namespaced.put("custom", "limit", 1))
    issue = run(checkouts.check_out(5, Holder(process_id="agent-1")))
    job = orchards.submit()
    run(submissions.cancel(job.job_id))
    prepared = [
        select(operator, "lock.release", all="1"),
        select(operator, "entry.delete", all="1", namespace="custom"),
        select(operator, "issue.release", all="1"), select(operator, "job.delete", all="1"),
        select(operator, "issue.reset", all="1"),
    ]  # fmt: skip
    run(locks.release("deploy", "me"))
    run(locks.acquire("deploy", "you"))
    run(namespaced.put("custom", "limit", 2))
    run(
        checkouts.check_in(
            5, issue_lists.status_named("completed"), None, Claimant(token=issue.token)
        )
    )
    run(submissions.remove(job.job_id))
    run(submissions.create("talk.wav", "s", 5, owner="ann", use_purifier=True, job_id=job.job_id))
    for cleaning in prepared:
        done = carry_out(operator, cleaning)
        assert (done.done, done.skipped) == (0, 1), done.deed
    assert run(locks.get("deploy")).owner == "you"
    assert run(submissions.get_record(job.job_id)).status == "created"


def test_whoever_does_the_same_later_is_told_thing_by_thing(operator: Client):
    orchards.worker("w1")
    both = [select(operator, "worker.pause", name="w1") for _ in range(2)]
    first, second = (carry_out(operator, one) for one in both)
    assert (first.done, second.done) == (1, 0)
    page = operator.get(f"/ui/cleanup/{second.pk}/").content.decode()
    assert "It has become something else since it was shown" in page


def test_whoever_prepares_what_somebody_else_is_doing_is_told_before(operator: Client):
    orchards.submit()
    first, second = (select(operator, "job.cancel", all="1") for _ in range(2))
    operator.post(f"/ui/cleanup/{first.pk}/begin")
    page = operator.get(f"/ui/cleanup/{second.pk}/").content.decode()
    assert "ann is at the same selection right now." in page


def test_the_kinds_say_how_much_waits(reader: Client):
    run(checkouts.check_out(6, Holder(process_id="agent-2", pid=2**40, host=_here())))
    page = reader.get("/ui/cleanup/kinds?kind=orphans").content.decode()
    assert re.search(r'data-kind="orphans" aria-current="true">[^<]+<b class="count">1</b>', page)
    assert page.count('class="count"') == 1


def test_a_list_that_would_take_too_long_says_so(reader: Client, monkeypatch):
    monkeypatch.setattr(cleanup, "LOOK_S", -1.0)
    monkeypatch.setattr(selections, "PAGE", 2)
    for _ in range(3):
        orchards.submit()
    page = reader.get("/ui/cleanup/?kind=jobs&q=no-such-name").content.decode()
    assert "Nothing found yet" in page
    assert "data-cut" in page


def test_an_engine_that_goes_away_in_between_costs_nothing(
    operator: Client, own_engine_server: EngineServer, monkeypatch
):
    store = RedisStore(own_engine_server.url)
    before = engine.use(store)
    try:
        jobs = [orchards.submit().job_id for _ in range(4)]
        cleaning = select(operator, "job.cancel", all="1")
        cancel, done = DEEDS["job.cancel"], list[str]()

        def cancel_then_kill(thing):
            if len(done) == 2:
                own_engine_server.kill()
            done.append(thing.name)
            return cancel.do(thing)

        dying = cancel._replace(do=cancel_then_kill, is_alone=True)
        monkeypatch.setitem(DEEDS, "job.cancel", dying)
        operator.post(f"/ui/cleanup/{cleaning.pk}/begin")
        answer = operator.post(f"/ui/cleanup/{cleaning.pk}/step")
        assert answer.status_code == 503
        assert AuditEntry.objects.filter(action="job.cancel").count() == 2
        monkeypatch.setitem(DEEDS, "job.cancel", cancel)
        own_engine_server.start()
        finished = carry_out(operator, cleaning)
        assert (finished.state, finished.done, finished.problems) == ("done", 4, [])
        assert AuditEntry.objects.filter(action="job.cancel").count() == 4
        assert {run(submissions.get_record(one)).status for one in jobs} == {"cancelled"}
    finally:
        engine.use(before)
        store.close()
