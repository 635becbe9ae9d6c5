"""What a live socket is asked for, and what it hears: it stays open or says why not."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import AnonymousUser, User
from hypothesis import given
from hypothesis import strategies as st

from orchard.live import consumers
from orchard.live.feed import get_feed
from orchard.live.topics import check_topic, scopes_of
from statecore.store import Store
from tests.fuzz.shapes import printable
from tests.fuzz.sizes import cases
from tests.live.conftest import Socket

TOPICS = ["fleet", "events", "issues", "job:0123456789abcdef", "issue:7", "state:notes", "locks"]
REASONS = {consumers.ANONYMOUS, consumers.BAD_REQUEST, consumers.RESET}
fields = st.sampled_from(["topic", "cursor", "other"])
cursors = st.sampled_from(["0-0", "1-1", "$", "9" * 19 + "-0", "1~2", "-", ".5", "1700-0~1701-3"])
pairs = st.lists(st.tuples(fields, printable | st.sampled_from(TOPICS) | cursors), max_size=4)
queries = pairs.map(urlencode) | st.text(st.characters(min_codepoint=1, max_codepoint=255))
frames = st.fixed_dictionaries({"text": printable}) | st.fixed_dictionaries({"bytes": st.binary()})


headers = st.lists(
    st.tuples(
        st.sampled_from([b"authorization", b"Authorization", b"cookie"]),
        st.binary(max_size=30) | st.binary(max_size=30).map(lambda raw: b"Bearer " + raw),
    ),
    max_size=2,
)


async def close_code(query: str, person: object, told: list, said: list[dict]) -> int | None:
    """Open a socket and say something; the code it is closed with, if it is."""
    try:
        socket = await Socket(query, person, told).open()
        for frame in said:
            await socket.say(**frame)
        while not await socket.receive_nothing(timeout=0.02):
            heard = await socket.receive_output(timeout=30)
            if heard["type"] == "websocket.close":
                return heard["code"]
            assert heard["type"] == "websocket.send"
        await socket.disconnect()
        return None
    finally:
        await get_feed().close()


@pytest.mark.django_db(transaction=True)
@cases(40, share=0.1)
@given(query=queries, told=headers, said=st.lists(frames, max_size=2), stranger=st.booleans())
def test_whatever_a_socket_is_asked_it_stays_open_or_says_why_not(
    store: Store, query: str, told: list, said: list[dict], stranger: bool
):
    person = AnonymousUser() if stranger else User(username="ann")
    code = asyncio.run(close_code(query, person, told, said))
    assert code in REASONS | {None}
    assert not stranger or code in (consumers.ANONYMOUS, consumers.BAD_REQUEST)


@cases(60)
@given(query=pairs | st.tuples(st.just("topic"), cursors).map(lambda one: [one]))
def test_a_topic_is_one_that_there_is(query: list[tuple[str, str]]):
    for _, topic in query:
        assert not check_topic(topic) or scopes_of(topic)
