"""``/api/v1/jobs``: handing in, listing, ending, repeating, keeping, reading."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from orchard.ports import recordings
from orchard.services import fleet, pipeline, queries, reports, run
from tests.api.fixtures import Tokens, post_json, wav
from tests.services.orchards import claim, complete, name_of, processing, submit, worker

V1 = "/api/v1/jobs"


def create(client: Client, **more) -> dict:
    answer = client.post(V1, {"file": wav()} | more)
    assert answer.status_code == 201
    return answer.json()


def fail_next_stage(reason: str) -> None:
    job = run(pipeline.claim_stage("p1"))
    assert job
    run(pipeline.fail_stage(job.job_id, job.stage.token, reason, retry=False))


def test_a_recording_becomes_a_job(client: Client):
    answer = client.post(V1, {"file": wav("talk.MP3"), "purifier": "false", "language": "en"})
    assert answer.status_code == 201
    job = answer.json()
    assert answer["Location"] == f"{V1}/{job['job_id']}"
    assert client.get(answer["Location"]).json() == job
    stored = run(queries.get_job(job["job_id"])).job
    assert (stored.use_purifier, stored.language, stored.size) == (False, "en", 12)
    assert recordings.read(f"jobs/{job['job_id']}/source.mp3") == b"RIFF....WAVE"


def test_the_same_idempotency_key_is_the_same_job(client: Client):
    headers = {"Idempotency-Key": "upload-7"}
    first, again = (client.post(V1, {"file": wav()}, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["job_id"] == again.json()["job_id"]
    assert recordings.list_jobs() == [first.json()["job_id"]]  # the second file is gone
    assert client.get(V1).json()["count"] == 1


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
def test_a_strange_idempotency_key_is_refused(client: Client, key: str):
    answer = client.post(V1, {"file": wav()}, headers={"Idempotency-Key": key})
    assert (answer.status_code, list(answer.json()["detail"])) == (400, ["Idempotency-Key"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "file"),
        ({"file": "text"}, "file"),
        ({"file": wav(content=b"")}, "file"),
        ({"file": wav(), "purifier": "perhaps"}, "purifier"),
        ({"file": wav(), "language": "English!"}, "language"),
        ({"file": wav(), "language": "e\0n"}, "language"),
    ],
)
def test_a_wrong_form_names_the_field_and_stores_nothing(client: Client, fields, field: str):
    answer = client.post(V1, fields)
    assert (answer.status_code, list(answer.json()["detail"])) == (400, [field])
    assert client.get(V1).json()["count"] == 0
    assert recordings.list_jobs() == []


@pytest.mark.parametrize(
    ("sent", "shown", "stored"),
    [
        ("../../etc/passwd", "passwd", "source"),
        ("C:\\Users\\ann\\talk.m4a", "talk.m4a", "source.m4a"),
        ("会議の録音.mp3", "会議の録音.mp3", "source.mp3"),
        ("🎙️ talk 🍎.ogg", "🎙️ talk 🍎.ogg", "source.ogg"),
        ("a" * 300 + ".wav", None, "source.wav"),
        ("noise.tar.gz;rm -rf", "noise.tar.gz;rm -rf", "source"),
        ("<script>.wav", "<script>.wav", "source.wav"),
    ],
)
def test_any_file_name_is_shown_whole_and_never_used_as_a_path(client, sent, shown, stored):
    boundary = "xxx"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{sent}"\r\n'
        f"Content-Type: audio/wav\r\n\r\nsound\r\n--{boundary}--\r\n"
    ).encode()
    answer = client.generic("POST", V1, body, f"multipart/form-data; boundary={boundary}")
    job = answer.json()
    assert answer.status_code == 201, job
    assert shown is None or job["filename"] == shown
    assert recordings.read(f"jobs/{job['job_id']}/{stored}") == b"sound"


@pytest.mark.parametrize("name", ["..", "/", "\\", "\u200b", " "])
def test_a_file_without_a_name_is_refused(client: Client, name: str):
    body = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        "sound\r\n--x--\r\n"
    ).encode()
    answer = client.generic("POST", V1, body, "multipart/form-data; boundary=x")
    assert answer.status_code == 400
    assert recordings.list_jobs() == []


def test_a_nul_in_a_file_name_is_dropped(client: Client):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\0b.wav"\r\n\r\n'
        b"sound\r\n--x--\r\n"
    )
    answer = client.generic("POST", V1, body, "multipart/form-data; boundary=x")
    assert (answer.status_code, answer.json()["filename"]) == (201, "ab.wav")


def test_a_text_file_named_mp3_is_accepted_and_ends_failed_with_the_reason(client: Client):
    job_id = create(client, file=wav("notes.mp3", b"dear diary"))["job_id"]
    fail_next_stage("the file is not sound that can be read")
    job = client.get(f"{V1}/{job_id}").json()
    assert (job["status"], job["error"]) == ("failed", "the file is not sound that can be read")


def test_pages_follow_each_other_and_filters_hold(client: Client, clock):
    ids = []
    for _ in range(5):
        ids.append(submit().job_id)
        clock.advance(1)
    fail_next_stage("x")
    page, seen = client.get(f"{V1}?limit=2").json(), []
    assert page["count"] == 5
    while True:
        seen += [job["job_id"] for job in page["jobs"]]
        if page["next"] is None:
            break
        page = client.get(f"{V1}?limit=2&cursor={page['next']}").json()
    assert seen == ids[::-1]
    failed = client.get(f"{V1}?status=failed").json()
    assert (failed["count"], failed["jobs"][0]["job_id"]) == (1, ids[0])
    assert client.get(f"{V1}?status=completed").json() == {"jobs": [], "next": None, "count": 0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=sleeping", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=abc", "limit"),
        ("limit=" + "9" * 400, "limit"),
        ("cursor=@@@", "cursor"),
        ("cursor=bmFuOng", "cursor"),  # nan:x
        ("cursor=%00", "cursor"),
        ("cursor=" + "x" * 301, "cursor"),
    ],
)
def test_a_wrong_query_names_the_field(client: Client, query: str, field: str):
    answer = client.get(f"{V1}?{query}")
    assert (answer.status_code, list(answer.json()["detail"])) == (400, [field])


@pytest.mark.parametrize("job_id", ["0123456789abcdef", "x" * 3000, "%F0%9F%8D%8E", "a%00b", "*"])
def test_an_unknown_job_is_404_everywhere(client: Client, job_id: str):
    at = f"{V1}/{job_id}"
    answers = [client.get(at), client.delete(at), client.get(f"{at}/transcript.txt")]
    answers += [post_json(client, f"{at}/{order}") for order in ("cancel", "retry", "pin")]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"unknown_job"}


def test_a_job_is_cancelled_once(client: Client):
    job_id = create(client)["job_id"]
    assert post_json(client, f"{V1}/{job_id}/cancel").json()["status"] == "cancelled"
    again = post_json(client, f"{V1}/{job_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "transition_refused")
    assert again.json()["status"] == "cancelled"


def test_a_failed_job_is_tried_again(client: Client):
    job_id = create(client)["job_id"]
    assert post_json(client, f"{V1}/{job_id}/retry").status_code == 409
    fail_next_stage("x")
    assert post_json(client, f"{V1}/{job_id}/retry").json()["status"] == "created"


def test_an_ended_job_is_pinned_and_unpinned(client: Client):
    job_id = create(client)["job_id"]
    assert post_json(client, f"{V1}/{job_id}/pin").status_code == 409
    post_json(client, f"{V1}/{job_id}/cancel")
    assert post_json(client, f"{V1}/{job_id}/pin").json()["pinned"] is True
    assert "pinned" not in post_json(client, f"{V1}/{job_id}/pin", {"pinned": False}).json()
    assert post_json(client, f"{V1}/{job_id}/pin", {"pinned": "x"}).status_code == 400


def test_a_deleted_job_is_gone_with_its_files(client: Client):
    job_id = create(client)["job_id"]
    assert client.delete(f"{V1}/{job_id}").status_code == 200
    assert client.get(f"{V1}/{job_id}").status_code == 404
    assert recordings.list_jobs() == []


def test_only_the_owner_and_administrators_act_on_a_job(client: Client, tokens: Tokens):
    ann, bob = (Client(headers=tokens("submit", name=name)) for name in ("ann", "bob"))
    job_id = create(ann)["job_id"]
    refused = post_json(bob, f"{V1}/{job_id}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_owner")
    assert bob.delete(f"{V1}/{job_id}").status_code == 403
    assert post_json(ann, f"{V1}/{job_id}/cancel").status_code == 200
    assert client.delete(f"{V1}/{job_id}").status_code == 200


def test_a_token_with_a_persons_name_is_not_that_person(staff, tokens: Tokens, store):
    person = Client()
    person.force_login(staff)
    job_id = create(person)["job_id"]
    impostor = Client(headers=tokens("submit", name=staff.username))
    assert post_json(impostor, f"{V1}/{job_id}/cancel").status_code == 403


# -- transcripts ---------------------------------------------------------------


def test_what_is_done_can_be_read_and_says_that_it_is_partial(client: Client):
    job_id = processing(2).job_id
    worker("w1")
    complete(claim("w1")[0], "hello there")
    expected = {
        "txt": b"hello there\n",
        "srt": b"1\n00:00:00,000 --> 00:01:00,000\nhello there\n\n",
        "vtt": b"WEBVTT\n\n00:00:00.000 --> 00:01:00.000\nhello there\n",
    }
    for form, content in expected.items():
        answer = client.get(f"{V1}/{job_id}/transcript.{form}")
        assert (answer.content, answer["X-Orchard-Partial"]) == (content, "true")
    answer = client.get(f"{V1}/{job_id}/transcript.json")
    assert (answer.json()["partial"], answer.json()["text"]) == (True, "hello there")
    assert answer["Content-Type"] == "application/json"


def test_a_whole_transcript_is_not_partial(client: Client):
    job_id = processing(1).job_id
    worker("w1")
    complete(claim("w1")[0], "all of it")
    job = run(pipeline.claim_stage("p1"))
    assert job
    chunks, fields = run(pipeline.get_results(job_id))
    joined = queries.join_results(chunks, fields)
    recordings.save_bytes(recordings.transcript_name(job_id), json.dumps({"segments": []}).encode())
    from orchard.domain.transcripts import make_result

    run(pipeline.finish_aggregating(job_id, job.stage.token, make_result(joined, 7, 9999), chunks))
    answer = client.get(f"{V1}/{job_id}/transcript.json")
    assert "X-Orchard-Partial" not in answer
    assert "partial" not in answer.json()
    assert answer.json()["total_processing_time_ms"] == 7


def test_a_job_without_a_word_yet_has_an_empty_partial_transcript(client: Client):
    answer = client.get(f"{V1}/{submit().job_id}/transcript.txt")
    assert (answer.content, answer["X-Orchard-Partial"]) == (b"", "true")


@pytest.mark.parametrize("form", ["pdf", "TXT", "", "..%2Fx"])
def test_an_unknown_format_is_404(client: Client, form: str):
    answer = client.get(f"{V1}/{submit().job_id}/transcript.{form}")
    assert answer.status_code == 404
    assert "code" in answer.json()


def test_a_transcript_is_named_like_its_recording(client: Client):
    job_id = create(client, file=wav("会議.wav"))["job_id"]
    answer = client.get(f"{V1}/{job_id}/transcript.srt")
    assert "%E4%BC%9A%E8%AD%B0.srt" in answer["Content-Disposition"]


def test_a_result_that_comes_late_but_whole_is_in_the_transcript(client: Client, clock):
    job_id = processing(1).job_id
    worker("w1")
    (held,) = claim("w1")
    clock.advance(31)
    run(reports.expire(name_of(held)))
    complete(held, "late")
    assert client.get(f"{V1}/{job_id}/transcript.txt").content == b"late\n"
    assert run(fleet.heartbeat("w1")).worker.completed == 1
