"""How an agent hands in results: with its next claim in one request, or as old masters want it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchard.agents.master import Again, Master, Work
from orchard.services import engine, fleet, queries, run
from orchard.tokens import create_token
from orchard.transcribers.base import Segment, Transcription
from statecore.store.memory import MemoryStore
from tests.services.orchards import claim, processing

WORDS = Transcription(
    text="hello", segments=(Segment(start_ms=0, end_ms=300, text="hello"),), language="en", model=""
)


@pytest.fixture
def master(request: Any, memory_store: MemoryStore, live_server: Any) -> Iterator[Master]:
    """A master as the agent w1 sees it, with four chunks that wait."""
    before = engine.use(memory_store)
    master = Master(live_server.url, create_token("agents", ["worker"])[1], "w1")
    master.register({})
    processing(4)
    yield master
    master.close()
    engine.use(before)


def completed(work: Work) -> int:
    return run(queries.get_job(work.chunk_id.partition("_")[0])).job.completed_chunks


def test_a_result_brings_the_next_chunk(master: Master):
    (first,) = master.claim(0)
    handed = master.exchange(first, WORDS, 900)
    assert (handed.refusal, completed(first)) == (None, 1)
    assert [one.chunk_id[-8:] for one in handed.chunks] == ["_chunk_1"]


def test_the_only_agent_does_a_doubtful_chunk_again_with_care(master: Master):
    (first,) = master.claim(0)
    loop = Transcription(text="thank you " * 20, segments=(), language="en", model="")
    master.exchange(first, loop, 900, wanted=0)
    (again,) = master.claim(0)
    assert (again.chunk_id, completed(first)) == (first.chunk_id, 0)
    assert again.again == Again(reason="loop", settings="careful")


def test_who_is_to_leave_gets_no_more(master: Master):
    (first,) = master.claim(0)
    assert master.exchange(first, WORDS, 900, wanted=0).chunks == []


def test_a_refused_result_does_not_lose_the_next_chunk(master: Master):
    (first,) = master.claim(0)
    run(fleet.remove("w1"))
    master.register({})
    run(fleet.register(name="w2"))
    assert claim("w2", 4)
    processing(1)
    handed = master.exchange(first, WORDS, 900)
    assert handed.refusal is not None
    assert (handed.refusal.code, completed(first)) == ("stale_token", 0)
    assert len(handed.chunks) == 1


@pytest.mark.parametrize("says_so", [True, False])
def test_an_older_master_is_told_the_words_alone(master: Master, settings: Any, says_so: bool):
    """Some say that the address is unknown, and some that a cookie is missing."""
    settings.ROOT_URLCONF = f"tests.agent.{'older' if says_so else 'oldest'}_master"
    for done in (1, 2):
        (work,) = master.claim(0)
        handed = master.exchange(work, WORDS, 900)
        assert (handed.refusal, handed.chunks, completed(work)) == (None, [], done)


def test_who_is_no_longer_in_the_fleet_hands_in_all_the_same(master: Master):
    (first,) = master.claim(0)
    run(fleet.remove("w1"))
    handed = master.exchange(first, WORDS, 900)
    assert (handed.refusal, handed.chunks, completed(first)) == (None, [], 1)
    master.register({})
    (again,) = master.claim(0)
    assert len(master.exchange(again, WORDS, 900).chunks) == 1
