"""Circles: a frame is made once for all who follow a topic, and others are left alone."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest
import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from orchard.live import circles as circles_module
from orchard.live import feed as feeds
from orchard.live.circles import Circle, Told
from orchard.live.feed import get_feed
from orchard.live.following import frames
from orchard.live.frames import SharedText
from orchard.live.sockets import LiveProtocol
from orchard.services import arun, queries, submissions
from tests.live.test_feed import next_of, until
from tests.services.orchards import submit


async def in_step(topic: str, count: int) -> list[asyncio.Task]:
    """Followers that have everything so far, and wait for what comes next."""
    cursor = await arun(queries.events_end())
    streams = [frames(topic, cursor) for _ in range(count)]
    tasks = [asyncio.create_task(anext(stream)) for stream in streams]
    circle = get_feed()._circles._circles
    await until(lambda: topic in circle and len(circle[topic]._waiting) == count)
    return tasks


async def test_those_who_are_in_step_are_told_by_one_frame_made_once(monkeypatch):
    made: list[str] = []
    make = circles_module.make_frame
    monkeypatch.setattr(
        circles_module, "make_frame", lambda *told: made.append("frame") or make(*told)
    )
    ears = await in_step("fleet", 30)
    submit()
    heard = [await ear for ear in ears]
    assert len({id(frame) for frame in heard}) == 1
    assert made == ["frame"]


async def test_a_socket_is_not_woken_by_what_its_topic_has_not(monkeypatch):
    mine, other = submit(), submit()
    (ears,) = await in_step(f"job:{mine.job_id}", 1)
    told: list[Told] = []
    tell = Circle.tell
    monkeypatch.setattr(
        Circle, "tell", lambda circle, what: (told.append(what), tell(circle, what))
    )
    before = get_feed().beats
    await arun(submissions.cancel(other.job_id))
    await until(lambda: get_feed().beats > before)
    assert not ears.done()
    assert not [one for one in told if one.frame]
    await arun(submissions.cancel(mine.job_id))
    frame = await ears
    assert mine.job_id in frame
    assert other.job_id not in frame


async def test_who_was_left_alone_goes_on_from_where_the_others_are(monkeypatch):
    monkeypatch.setattr(feeds, "RING", 5)
    mine, cursor = submit(), await arun(queries.events_end())
    stream = frames(f"job:{mine.job_id}", cursor)
    heard = asyncio.create_task(next_of(stream))
    await until(lambda: get_feed()._shown == cursor)
    for _ in range(20):  # more than the ring holds
        submit()
    end = await arun(queries.events_end())
    await until(lambda: get_feed()._shown == end)
    await arun(submissions.cancel(mine.job_id))
    assert [event["name"] for event in (await heard)["events"]] == ["job.advanced"]
    await stream.aclose()


async def test_those_who_are_equally_far_behind_are_told_by_the_same_frame():
    cursor = await arun(queries.events_end())
    late = [frames("fleet", cursor) for _ in range(3)]
    submit()
    for stream in late:
        await next_of(stream)
    before = get_feed().beats
    ids = [submit().job_id for _ in range(5)]
    end = await arun(queries.events_end())
    await until(lambda: get_feed().beats > before and get_feed().has_told(end))
    heard = [await anext(stream) for stream in late]
    assert len({id(frame) for frame in heard}) == 1
    assert [event["job_id"] for event in json.loads(heard[0])["events"]] == ids
    for stream in late:
        await stream.aclose()


async def test_more_than_anybody_reads_is_told_as_a_reset(monkeypatch):
    monkeypatch.setattr(feeds, "MAX_BEHIND", 5)
    (ears,) = await in_step("fleet", 1)
    entry = [SimpleNamespace(topics=frozenset({"fleet"}), progress_of=None, raw=b"{}")] * 6
    get_feed()._circles.tell(entry, "1-1", feeds.MAX_BEHIND)
    assert await ears == '{"reset":true}'


class Wire:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, block: bytes) -> None:
        self.written.append(block)


async def _application(scope: object, receive: object, send: object) -> None:
    """One that nobody asks anything."""


def protocol(config: uvicorn.Config) -> LiveProtocol:
    server = SimpleNamespace(connections=set(), tasks=set(), default_headers=[])
    made = LiveProtocol(config, server, {})
    made.transport, made.handshake_complete, made.conn.state = Wire(), True, State.OPEN
    return made


@pytest.fixture
def sockets() -> list[LiveProtocol]:
    config = uvicorn.Config(_application, ws_per_message_deflate=False)
    config.load()
    return [protocol(config) for _ in range(3)]


@pytest.mark.parametrize("size", [5, 200, 70_000])
async def test_sockets_that_say_the_same_write_the_very_same_bytes(sockets, size):
    text = SharedText("é" * size)
    for one in sockets:
        await one.send({"type": "websocket.send", "text": text})
    written = [one.transport.written for one in sockets]
    assert written[0] == [Frame(Opcode.TEXT, text.encode()).serialize(mask=False)]
    assert all(block[0] is written[0][0] for block in written)


async def test_what_one_socket_alone_says_is_packed_as_ever(sockets):
    await sockets[0].send({"type": "websocket.send", "text": "away"})
    assert sockets[0].transport.written == [b"\x81\x04away"]


async def test_a_shared_frame_waits_until_a_socket_can_be_written_to(sockets):
    sockets[0].pause_writing()
    sending = asyncio.create_task(
        sockets[0].send({"type": "websocket.send", "text": SharedText("x")})
    )
    await asyncio.sleep(0)
    assert not sockets[0].transport.written
    sockets[0].resume_writing()
    await sending
    assert sockets[0].transport.written == [b"\x81\x01x"]


@pytest.mark.parametrize("ended", ["disconnected", "close_sent"])
async def test_nothing_is_written_after_the_end(sockets, ended):
    setattr(sockets[0], ended, True)
    with pytest.raises(ClientDisconnected):
        await sockets[0].send({"type": "websocket.send", "text": SharedText("x")})
    assert not sockets[0].transport.written
