"""The buttons: what they do, who may press them, and what is written down."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orchard.models import AuditEntry
from orchard.services import pipeline, queries, run, submissions
from tests.services.orchards import claim, processing, submit, worker

ACTIONS = [
    *(f"/ui/jobs/x/{name}" for name in ("cancel", "retry", "pin", "delete")),
    *(f"/ui/workers/x/{name}" for name in ("drain", "pause", "resume", "remove")),
]
YES = {"confirmed": "1"}


def status_of(job_id: str) -> str:
    return run(queries.get_job(job_id)).job.status


def notices(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize("path", ACTIONS)
def test_strangers_are_led_to_the_sign_in_page(path, db, client: Client):
    assert client.post(path).status_code == 302


@pytest.mark.parametrize("path", ACTIONS)
def test_whoever_may_only_look_is_refused(path, reader: Client):
    assert reader.post(path, YES).status_code == 403
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("path", ACTIONS)
def test_nothing_happens_by_get_or_without_the_csrf_token(path, operator: Client, staff: User):
    assert operator.get(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    assert strict.post(path, YES).status_code == 403


@pytest.mark.parametrize("path", ACTIONS)
def test_what_is_gone_is_told_and_not_written_down(path, operator: Client):
    answer = operator.post(path, YES, follow=True)
    assert answer.status_code == 200
    assert notices(answer)
    assert not AuditEntry.objects.exists()


def test_a_job_is_cancelled_only_after_it_was_confirmed(operator: Client):
    job = processing(2)
    asked = operator.post(f"/ui/jobs/{job.job_id}/cancel")
    assert "Are you sure?" in asked.content.decode()
    assert status_of(job.job_id) == "processing"
    operator.post(f"/ui/jobs/{job.job_id}/cancel", YES)
    assert status_of(job.job_id) == "cancelled"
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.subject) == ("ann", "job.cancel", job.job_id)


def test_two_who_cancel_the_same_job_are_both_told(operator: Client):
    job = submit()
    first = operator.post(f"/ui/jobs/{job.job_id}/cancel", YES, follow=True)
    assert notices(first) == ["The job was cancelled."]
    second = operator.post(f"/ui/jobs/{job.job_id}/cancel", YES, follow=True)
    assert notices(second) == ["The state it is in now does not allow this."]
    assert AuditEntry.objects.count() == 1


def test_a_failed_job_is_retried_kept_let_go_and_deleted(operator: Client):
    job = submit()
    stage = run(pipeline.claim_stage("p"))
    run(pipeline.fail_stage(job.job_id, stage.stage.token, "broken", retry=False))
    at = f"/ui/jobs/{job.job_id}/"
    operator.post(at + "pin", {"pinned": "1"})
    assert run(queries.get_job(job.job_id)).job.pinned
    operator.post(at + "pin", {"pinned": "0"})
    assert not run(queries.get_job(job.job_id)).job.pinned
    operator.post(at + "retry")
    assert status_of(job.job_id) == "created"
    gone = operator.post(at + "delete", YES)
    assert gone["Location"] == "/ui/jobs/"
    assert run(queries.list_jobs()).count == 0


def test_a_worker_is_drained_paused_resumed_and_removed(operator: Client):
    processing(1)
    name = worker("kitchen")
    claim(name)
    at = f"/ui/workers/{name}/"
    operator.post(at + "drain")
    assert run(queries.list_workers())[0].draining
    operator.post(at + "resume")
    operator.post(at + "pause")
    assert run(queries.list_workers())[0].paused
    operator.post(at + "remove")
    assert run(queries.list_workers())
    operator.post(at + "remove", YES)
    assert run(queries.list_workers()) == []
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["worker.drain", "worker.resume", "worker.pause", "worker.remove"]


def test_after_a_button_one_is_back_where_one_was_and_nowhere_else(operator: Client):
    worker("kitchen")
    for referer, back in [
        ("http://testserver/ui/workers/", "http://testserver/ui/workers/"),
        ("https://evil.example/", "/"),
        ("", "/"),
    ]:
        answer = operator.post("/ui/workers/kitchen/pause", headers={"referer": referer})
        assert answer["Location"] == back


def test_signing_in_with_name_and_password_and_out_again(db, client: Client):
    User.objects.create_user("eve", password="correct horse")
    wrong = client.post("/login", {"username": "eve", "password": "no"})
    assert "do not match" in wrong.content.decode()
    right = client.post("/login?next=/ui/jobs/", {
        "username": "eve", "password": "correct horse", "next": "/ui/jobs/",
    })  # fmt: skip
    assert right["Location"] == "/ui/jobs/"
    assert client.post("/logout")["Location"] == "/login"


def test_deleting_is_done_by_the_service_so_that_all_of_a_job_goes(operator: Client):
    job = processing(2)
    operator.post(f"/ui/jobs/{job.job_id}/delete", YES)
    with pytest.raises(Exception, match="Job not found"):
        run(submissions.get_record(job.job_id))
