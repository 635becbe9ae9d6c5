"""What comes over the wire from programs: channels of the ambassador, answers of push nodes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from orchard.live.frames import make_entry, make_frame
from orchard.ports.node_answers import Nonsense, read_answer
from statecore.ambassador import messages
from statecore.ambassador.messages import Damaged
from tests.fuzz.shapes import leaves, numbers, objects, raw_json, texts, trees
from tests.fuzz.sizes import cases

NOW = datetime(2026, 11, 21, tzinfo=UTC)
REQUEST = ["requestId", "action", "processId", "issueNumber", "pid", "timestamp", "metadata"]
EVENT = ["name", "job_id", "issue", "namespace", "index", "stage"]
requests = objects(REQUEST) | st.builds(
    lambda name, rest: {**rest, "requestId": name}, texts | st.integers(), objects(REQUEST)
)


@cases(100)
@given(raw=raw_json(requests))
def test_any_message_is_a_request_that_can_be_answered_or_damaged(raw: bytes):
    with suppress(Damaged):
        request = messages.parse(raw)
        answer = messages.failure(request, NOW, messages.quote(str(request.message)))
        assert messages.answered_id(answer) == request.request_id
        assert messages.success(request, NOW, {})


@cases(100)
@given(raw=raw_json())
def test_any_answer_of_somebody_else_says_to_which_request_or_nothing(raw: bytes):
    said = messages.answered_id(raw)
    assert said is None or json.loads(raw)["requestId"] == said or said != said


segment = objects(["start_ms", "end_ms", "text"], leaves) | st.fixed_dictionaries(
    {"start_ms": numbers, "end_ms": numbers, "text": texts}
)
answers = st.fixed_dictionaries(
    {"text": texts},
    optional={"segments": st.lists(segment, max_size=4) | trees(), "metadata": trees()},
)


@cases(100)
@given(raw=raw_json(answers), duration_ms=st.integers(0, 10**8))
def test_any_answer_of_a_node_is_a_result_or_nonsense(raw: bytes, duration_ms: int):
    with suppress(Nonsense):
        result = read_answer(raw, duration_ms=duration_ms, time_ms=1)
        assert all(0 <= one.start_ms <= one.end_ms <= duration_ms for one in result.segments)
        assert "\0" not in result.text


@cases(100)
@given(raws=st.lists(raw_json(objects(EVENT)), max_size=3))
def test_whatever_stands_in_the_stream_the_frame_can_be_read(raws: list[bytes]):
    entries = [make_entry(str(i), raw) for i, raw in enumerate(raws)]
    shown = [entry for entry in entries if entry.topics]
    assert len(json.loads(make_frame("5-0", shown))["events"]) == len(shown)
