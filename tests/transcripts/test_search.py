"""What was said is found, wherever it was said, and opens at its time."""

from __future__ import annotations

import pytest
from django.test import Client

from orchard.catalogue import passages, process
from orchard.catalogue.following import Follower
from orchard.catalogue.models import CataloguedJob, Passage
from orchard.catalogue.searching import mark_words, search
from orchard.catalogue.texts import parse_words
from orchard.domain.errors import InvalidInput
from orchard.domain.timeline import ChunkResult, Line
from orchard.ports import recordings
from orchard.services import quality, run, submissions
from orchard.services.queries import get_transcript
from statecore.sealing import site as sealing_site
from tests.catalogue.jobs import catch_up
from tests.transcripts.worlds import finished

PATH = "/api/v1/transcripts/search"
pytestmark = pytest.mark.usefixtures("store", "db")


@pytest.fixture(autouse=True)
def _made_up(monkeypatch):
    """What is searched here says the same again and again; nobody is to doubt it."""
    monkeypatch.setattr(quality, "guards_quality", lambda: False)


def said(*texts: str, every_ms: int = 5_000) -> str:
    """A finished job in whose one chunk this was said; the catalogue knows it."""
    lines = tuple(
        Line(start_ms=i * every_ms, end_ms=i * every_ms + 900, text=text)
        for i, text in enumerate(texts)
    )
    job_id = finished([ChunkResult(text=" ".join(texts), time_ms=5, segments=lines)])
    learn()
    return job_id


def learn() -> None:
    """Let the catalogue read all that there is."""
    catch_up(Follower())
    while passages.read_some():
        pass


def places(text: str) -> list[tuple[str, int]]:
    return [(place.job.job_id, place.start_ms) for place in search(text).places]


@pytest.mark.parametrize(
    ("text", "start"),
    [("garden", 5_000), ("GARD", 5_000), ("ゲーム", 10_000), ("ｹﾞｰﾑ", 10_000), ("猫", 10_000),
     ("the in", 5_000), ("100%", 15_000), ("o'clock", 15_000), ("5", 15_000), ("_", 15_000)],
)  # fmt: skip
def test_any_part_of_a_word_is_found_with_its_time(text: str, start: int):
    job_id = said("Once upon a time", "in the garden", "猫とゲーム", "a_b: 100% at 5 o'clock")
    said("something else")
    assert places(text) == [(job_id, start)]


def test_all_the_words_must_be_said_near_each_other():
    said("the beginning", *["and so on"] * 20, "the end")
    assert places("beginning end") == []
    assert len(places("beginning")) == len(places("end")) == 1


def test_the_latest_recording_comes_first_and_each_from_its_beginning():
    old = said("about trees", every_ms=40_000)
    new = said("trees here", "trees there", every_ms=40_000)
    assert places("trees") == [(new, 0), (new, 40_000), (old, 0)]


def test_pages_hold_everything_once():
    ids = [said(f"the word number {n}") for n in range(5)]
    found, cursor = [], ""
    for _ in range(3):
        page = search("word", limit=2, cursor=cursor)
        found += [place.job.job_id for place in page.places]
        cursor = page.next or ""
    assert (found, cursor) == (ids[::-1], "")


def test_what_somebody_has_written_instead_is_found(operator: Client):
    job_id = said("hello there", "good bye")
    answer = operator.post(
        f"/ui/jobs/{job_id}/edit", {"start_ms": 0, "text": "Hello, Elinor", "was": "hello there"}
    )
    assert answer.status_code == 200
    assert places("elinor") == [(job_id, 0)]
    assert places("hello there") == []


def test_a_deleted_job_is_found_no_more_though_nobody_has_told_yet():
    job_id = said("a secret")
    run(submissions.remove(job_id))
    assert places("secret") == []
    learn()
    assert not Passage.objects.exists()


def test_a_job_is_not_read_before_it_is_over_and_then_once(monkeypatch):
    from tests.services import orchards

    orchards.processing(1)
    learn()
    assert CataloguedJob.objects.filter(text_read=True).count() == 0
    said("done")
    before = Passage.objects.get().pk
    assert passages.read_some() is False
    assert Passage.objects.get().pk == before


def test_a_transcript_that_is_lost_or_damaged_stops_nothing():
    lost, damaged = finished(), finished()
    recordings.delete_name(recordings.transcript_name(lost))
    recordings.save_bytes(recordings.transcript_name(damaged), b"{]")
    learn()
    assert passages.is_complete()
    kept = said("still found")
    assert places("still") == [(kept, 0)]


def test_it_says_when_not_everything_can_be_found_yet():
    said("one")
    finished()
    catch_up(Follower())
    assert search("one").is_whole is False
    learn()
    assert search("one").is_whole is True


def test_only_the_process_that_leads_reads_transcripts():
    finished()
    follower = Follower()
    catch_up(follower)
    assert process.read_transcripts(follower, "first") is False
    assert passages.is_complete()
    CataloguedJob.objects.update(text_read=None)
    process.read_transcripts(follower, "second")
    assert not passages.is_complete()


def test_where_transcripts_are_sealed_nothing_is_kept_and_the_search_is_off(
    client: Client, monkeypatch: pytest.MonkeyPatch
):
    said("a secret")
    monkeypatch.setattr(passages, "is_on", lambda: False)
    answer = client.get(PATH, {"q": "secret"})
    assert (answer.status_code, answer.json()["code"]) == (409, "search_off")
    learn()
    assert not Passage.objects.exists()
    monkeypatch.undo()
    learn()
    assert len(places("secret")) == 1


def test_a_site_without_keys_has_the_search(monkeypatch: pytest.MonkeyPatch):
    assert sealing_site.sealing_of_site().ring is None
    assert passages.is_on()


def test_the_api_answers_with_text_time_and_job(client: Client):
    job_id = said("Once upon a time", "in the garden")
    told = client.get(PATH, {"q": "garden"}).json()
    assert told == {
        "found": [{
            "job_id": job_id, "filename": "talk.wav", "start_ms": 5_000, "start": "00:00:05.000",
            "text": "in the garden", "marks": [[7, 13]],
        }],
        "next": None, "is_whole": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    "query", [{}, {"q": " "}, {"q": "x", "cursor": "?"}, {"q": "x", "limit": 0}, {"q": "x" * 201},
              {"q": " ".join(f"w{n}" for n in range(21))}],
)  # fmt: skip
def test_a_question_that_is_none_is_refused(client: Client, query: dict[str, str]):
    assert client.get(PATH, query).status_code == 400


def test_a_cursor_of_another_list_is_refused(client: Client):
    for n in range(3):
        said(f"w {n}")
    cursor = search("w", limit=1).next
    assert client.get(PATH, {"q": "w", "cursor": cursor}).status_code == 200
    with pytest.raises(InvalidInput):
        search("w", cursor=str(cursor)[:-3])


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("In the Garden", "GARDEN the", ["the", "Garden"]), ("ゲーム", "ｹﾞｰﾑ", ["ゲーム"]),
        ("straße", "STRASSE", ["straße"]), ("aaa", "aa", ["aa"]), ("nothing", "x", []),
    ],
)  # fmt: skip
def test_words_are_marked_in_any_case_and_width(text: str, words: str, marked: list[str]):
    marks = mark_words(text, parse_words(words))
    assert "".join(mark.text for mark in marks) == text
    assert [mark.text for mark in marks if mark.is_hit] == marked


def test_a_long_passage_is_cut_where_it_is_shown():
    job_id = said("begin " + "x" * 400)
    (place,) = search("begin").places
    assert place.text.endswith("…")
    assert len(place.text) <= 301
    assert run(get_transcript(job_id)).transcript.text.endswith("x")
