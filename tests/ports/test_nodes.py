"""The client of push nodes: whatever a node does, its dispatcher keeps its time and its memory."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from orchard.domain.nodes import Condition
from orchard.ports.node_addresses import parse_networks
from orchard.ports.node_answers import Nonsense, read_answer
from orchard.ports.nodes import ANSWER_MAX_BYTES, NodeClient, NodeFault, Sound, check_health
from tests.nodes import CONDITIONS, GIGABYTE, PushNode, words

HERE = parse_networks("127.0.0.0/8")
TIMEOUT_S = 1.0


async def blocks() -> AsyncIterator[bytes]:
    yield b"RIFF"
    yield b"WAVE" * 3


SOUND = Sound(16, blocks)


@pytest.fixture
async def client() -> AsyncIterator[NodeClient]:
    async with NodeClient(HERE) as one:
        yield one


async def ask(client: NodeClient, node: PushNode) -> bytes:
    """What the dispatcher makes of a node's answer to a chunk of two seconds."""
    return await client.transcribe(node.url, SOUND, TIMEOUT_S)


async def fault_of(client: NodeClient, node: PushNode) -> NodeFault:
    try:
        read_answer(await ask(client, node), duration_ms=2000, time_ms=1)
    except NodeFault as fault:
        return fault
    except Nonsense as nonsense:
        return NodeFault(Condition.NONSENSE, str(nonsense))
    raise AssertionError("the node got away with it")


async def test_a_good_node_gets_the_sound_and_its_answer_comes_back(client):
    with PushNode() as node:
        raw = await ask(client, node)
        assert node.asked == [b"RIFF" + b"WAVE" * 3]
    result = read_answer(raw, duration_ms=2000, time_ms=77)
    (line,) = result.segments
    assert (line.start_ms, line.end_ms, line.text) == (100, 900, "spoken words")
    assert (result.text, result.time_ms) == ("spoken words", 77)  # not the 40 that it says
    assert result.metadata == {"model": "tiny", "language": "en"}


@pytest.mark.parametrize("manner", CONDITIONS)
async def test_each_bad_manner_is_called_by_its_name(client, manner):
    with PushNode(manner) as node:
        start = time.monotonic()
        fault = await fault_of(client, node)
        assert str(fault.condition) == CONDITIONS[manner], fault.reason
        assert fault.reason
        assert "\0" not in fault.reason
        assert time.monotonic() - start < TIMEOUT_S + 8
        assert len(node.asked) == 1  # nobody asks twice


async def test_a_gigabyte_is_cut_off_early_and_takes_no_memory(client):
    with PushNode("flooding") as node:
        tracemalloc.start()
        try:
            fault = await fault_of(client, node)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert str(ANSWER_MAX_BYTES) in fault.reason
        assert node.bytes_sent < GIGABYTE / 10
    assert most < 3 * ANSWER_MAX_BYTES


async def test_a_node_that_nobody_listens_for_is_unreachable(client):
    node = PushNode()
    node.stop()
    for asking in (client.probe(node.url), ask(client, node)):
        with pytest.raises(NodeFault) as caught:
            await asking
        assert caught.value.condition is Condition.UNREACHABLE


async def test_a_name_that_leads_nowhere_is_unreachable(client):
    with pytest.raises(NodeFault) as caught:
        await client.probe("http://nobody.invalid:9")
    assert caught.value.condition is Condition.UNREACHABLE


async def test_a_probe_tells_what_a_node_says_of_itself(client):
    with PushNode("ill") as node, pytest.raises(NodeFault) as caught:
        await client.probe(node.url)
    assert caught.value.condition is Condition.FAILING
    assert "500" in caught.value.reason


async def test_the_reason_a_node_gives_is_told_in_one_line(client):
    with PushNode("failing") as node:
        fault = await fault_of(client, node)
    assert fault.reason == "it answered with an error: 500 Error: the model <b>broke</b>"


async def test_a_proxy_of_the_machine_is_not_asked(client, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with PushNode() as node:
        async with NodeClient(HERE) as one:
            await one.probe(node.url)


async def test_a_name_is_resolved_once_and_asked_at_the_address_that_was_checked(monkeypatch):
    loop = asyncio.get_running_loop()
    real, asked = loop.getaddrinfo, []

    async def rebinding(host, port, **options):
        asked.append(host)
        leads_to = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return await real(leads_to, port, **options)

    with PushNode() as node:
        monkeypatch.setattr(loop, "getaddrinfo", rebinding)
        async with NodeClient(HERE) as client:
            url = f"http://phone.test:{node.port}"
            assert await client.transcribe(url, SOUND, TIMEOUT_S) == words()
            with pytest.raises(NodeFault) as caught:
                await client.transcribe(url, SOUND, TIMEOUT_S)
    assert asked.count("phone.test") == 2
    assert caught.value.condition is Condition.FORBIDDEN
    assert "169.254.169.254" in caught.value.reason
    assert node.answered == 1


async def test_health_is_asked_of_many_at_once():
    dead = PushNode()
    dead.stop()
    with PushNode() as well, PushNode("ill") as ill:
        urls = [well.url, ill.url, dead.url]
        assert await check_health(urls, HERE) == {well.url: True, ill.url: False, dead.url: False}
        assert await check_health([well.url], parse_networks("10.0.0.0/8")) == {well.url: False}


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        (-5, 300, (0, 300)),
        (0, 30_000, (0, 2000)),  # whisper's window
        (1500.4, 1800.6, (1500, 1801)),
        (2400, 2600, (2000, 2000)),
    ],
)
def test_times_that_are_off_by_rounding_or_a_window_are_brought_into_the_chunk(start, end, kept):
    raw = words(segments=[{"start_ms": start, "end_ms": end, "text": "a"}])
    (line,) = read_answer(raw, duration_ms=2000, time_ms=1).segments
    assert (line.start_ms, line.end_ms) == kept


def test_facts_that_are_no_text_are_left_out():
    raw = words(metadata={"model": {"a": 1}, "language": "x" * 5000, "else": 1})
    assert read_answer(raw, duration_ms=2000, time_ms=1).metadata == {"language": "x" * 100}
