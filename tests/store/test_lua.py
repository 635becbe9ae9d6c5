"""The scripts as files: their contract headers, their keys, and how engines come to know them."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files
from pathlib import Path

import pytest

from statecore.store import ops, scripts, unrolled
from statecore.store.wire import call_for

ROOT = Path(__file__).parents[2]
REQUESTS = {
    scripts.COMMIT: ops.Commit(
        {ops.Key("a"): b"1", ops.Field("h", "f"): None, ops.Size("h"): b"0"},
        (
            ops.Set("a", b"2", 1000),
            ops.HashSet("h", {"f": b"1"}),
            ops.SortedAddFromNow("z", {"m": 1}),
            ops.Append("e", (b"x",), 10),
            ops.Delete(("b", "c")),
        ),
    ),
    scripts.TAKE: ops.Take("q", "l", 1, 1000, "_", (ops.Companion("h:", is_field=True),)),
    scripts.READ: ops.Read((ops.Key("a"), ops.Count("z"), ops.Key("a"))),
    scripts.SCAN: ops.ScanIndex("z", 10, after=(1.0, "m")),
    scripts.TAIL: ops.Tail("e", ""),
}
each_script = pytest.mark.parametrize("script", scripts.SCRIPTS, ids=lambda script: script.name)


def header(script):
    lines = script.source.splitlines()
    return "\n".join(line for line in lines[: lines.index("")] if line.startswith("--"))


def body(script):
    return re.sub(r"--.*", "", script.source)


def test_every_script_is_loaded_and_tried_here():
    names = {entry.name for entry in files("statecore.store").joinpath("lua").iterdir()}
    assert names == {f"{script.name}.lua" for script in scripts.SCRIPTS}
    assert set(REQUESTS) == set(scripts.SCRIPTS)


@each_script
def test_a_header_states_keys_arguments_reply_and_the_test_that_proves_it(script):
    text = header(script)
    assert len(text.splitlines()[0]) > 20
    for word in ("KEYS", "ARGV", "Reply"):
        assert re.search(rf"^-- {word}\b", text, re.MULTILINE)
    tests = re.findall(r"tests/\S+\.py", text)
    assert tests
    assert all((ROOT / path).exists() for path in tests)


@each_script
def test_no_script_walks_the_keyspace_or_touches_json(script):
    words = r"\b(KEYS\s*\*|'KEYS'|'SCAN'|'RANDOMKEY'|'FLUSH\w*'|cjson|cmsgpack|struct)\b"
    assert not re.search(words, body(script), re.IGNORECASE)


@each_script
def test_scripts_name_no_key_that_was_not_declared(script):
    """Each key of a call is an element of KEYS, or a variable that was set to one.

    What a take reads beside a member is named by the member, which nobody knows before; it has a
    declared beginning with the partition in it.
    """
    known = {"key", "KEYS[1]", "KEYS[2]", "'STREAM'"}
    if script is scripts.TAKE:
        known.add("ARGV[n + 1] .. stem")
    for command, key in re.findall(r"call\('([A-Z]+)'(?:, ([^,)]+))?", body(script)):
        assert command == "TIME" or key in known, (command, key)
    for value in re.findall(r"\bkey = (.+)", body(script)):
        assert "KEYS[" in value
    assert "_G" not in script.source


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=lambda each: type(each).__name__)
def test_each_touched_key_is_declared_once(request_):
    call = call_for(request_)
    keys = list(call.keys)
    assert len(keys) == len(set(keys))
    assert set(keys) == touched(request_)


def touched(request):
    match request:
        case ops.Commit(expected, writes):
            keys = {cell.key for cell in expected}
            for write in writes:
                keys |= set(write.keys) if isinstance(write, ops.Delete) else {write.key}
            return keys
        case ops.Take(queue, leases):
            return {queue, leases}
        case ops.Read(refs):
            return {ref.key for ref in refs}
        case _:
            return {request.key}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=lambda each: type(each).__name__)
def test_a_script_that_the_engine_forgot_is_sent_again(redis_store, engine_server, request_):
    async def both():
        engine_server.client.script_flush()
        first = await redis_store.aperform(request_)
        await redis_store.aclose()
        return first

    redis_store.perform(request_)
    engine_server.client.script_flush()
    redis_store.perform(request_)
    asyncio.run(both())
    known = [call_for(request_, asks_time=asks).script.sha for asks in (False, True)]
    assert True in engine_server.client.script_exists(*known)


class TestUnrolledCommits:
    """Scripts of their own for plans that are met often."""

    @pytest.fixture(autouse=True)
    def _nothing_was_unrolled_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # A process unrolls so many plans and no more, and other tests meet plans, too.
        monkeypatch.setattr(unrolled, "_unrolled", {})

    def test_a_plan_becomes_the_commands_it_stands_for(self):
        call = call_for(REQUESTS[scripts.COMMIT])
        assert call.script is not scripts.COMMIT
        assert body(call.script).splitlines()[1:] == [
            "call('ZCARD', KEYS[3])",
            "call('XLEN', KEYS[4])",
            "local cell0 = call('GET', KEYS[1])",
            "local cell1 = call('HGET', KEYS[2], ARGV[2])",
            "local cell2 = tostring(call('HLEN', KEYS[2]))",
            "if cell0 ~= ARGV[1] or cell1 or cell2 ~= ARGV[3] "
            "then return {false, cell0, cell1, cell2} end",
            "call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])",
            "call('HSET', KEYS[2], ARGV[6], ARGV[7])",
            "local time = call('TIME')",
            "local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)",
            "call('ZADD', KEYS[3], string.format('%.0f', now_ms + ARGV[8]), ARGV[9])",
            "call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[10], '*', 'e', ARGV[11])",
            "call('DEL', KEYS[5])",
            "call('DEL', KEYS[6])",
            "return {false}",
        ]

    def test_commits_that_differ_only_in_names_and_bytes_share_a_script(self):
        one, other = (
            call_for(ops.Commit({ops.Key(f"{n}"): b"%d" % n}, (ops.Set(f"{n}", b"x" * n),)))
            for n in (1, 2)
        )
        assert one.script is other.script
        assert one.script is not scripts.COMMIT

    def test_no_name_or_value_gets_into_the_text_of_a_script(self):
        evil = "') redis.call('FLUSHALL') --"
        write = ops.HashSet(evil, {evil: evil.encode()})
        assert (
            evil not in call_for(ops.Commit({ops.Field(evil, evil): b""}, (write,))).script.source
        )

    def test_engines_are_not_filled_with_scripts(self, monkeypatch):
        monkeypatch.setattr(unrolled, "_unrolled", {})
        for n in range(1000):
            writes = tuple(ops.SetAdd("s", ("m",) * (n >> bit & 3)) for bit in range(0, 10, 2))
            call_for(ops.Commit({}, writes))
        assert len(unrolled._unrolled) == unrolled.MOST_PLANS
        long = ops.Commit({}, tuple(ops.Set(f"{n}", b"") for n in range(30)))
        wide = ops.Commit({}, (ops.SetAdd("s", tuple(map(str, range(30)))),))
        assert call_for(long).script is call_for(wide).script is scripts.COMMIT


def test_a_commit_uses_one_command(redis_store, engine_server):
    redis_store.perform(REQUESTS[scripts.COMMIT])
    engine_server.client.config_resetstat()
    redis_store.perform(REQUESTS[scripts.COMMIT])
    stats = engine_server.client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 1
