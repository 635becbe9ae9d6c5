"""Cleaning by hand: selected, previewed, confirmed, done in steps, stopped, and written down."""

from __future__ import annotations

import socket

import pytest
from django.test import Client

from orchard.cleaning import runs
from orchard.cleaning.deeds import DEEDS
from orchard.cleaning.things import KINDS
from orchard.models import AuditEntry, CleaningRun
from orchard.services import run, submissions
from statecore.domain.issues import Holder
from statecore.services import checkouts, locks, namespaced, processes
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
    assert list(KINDS["jobs"].find({})) == []
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
    assert len(list(KINDS["jobs"].find({}))) == 2


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
    assert "unknown_job" in page
    assert AuditEntry.objects.filter(action="job.cancel").count() == 1


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
    found = {thing.name: thing.state for thing in KINDS["chunks"].find({})}
    assert found[held] == "running"
    assert carry_out(operator, select(operator, "chunk.requeue", name=held)).done == 1
    assert {thing.state for thing in KINDS["chunks"].find({})} == {"waiting"}
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
    assert list(KINDS["locks"].find({})) == []
    assert list(KINDS["entries"].find({"namespace": "custom"})) == []
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
    assert client.get(f"/admin/orchard/cleaningrun/{cleaning.pk}/change/").status_code == 200
