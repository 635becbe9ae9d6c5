"""Many processes at once: each issue is held once, and the histories are linearizable."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from statecore.services import issue_lists, labels
from statecore.services.engine import run
from statecore.store import open_store
from tests.state.conftest import use
from tests.state.histories import Call, Model, is_linearizable, lease_model, register_model

ROOT = Path(__file__).parents[2]
PROCESSES, ISSUES, ROUNDS = 16, 200, 150


def races(what: str, url: str, things: int, rounds: int, processes: int = PROCESSES) -> list[list]:
    """What all processes were answered."""
    command = [sys.executable, "-m", "tests.state.racers", what, url]
    started = [
        subprocess.Popen(
            [*command, f"p{i}", str(i), str(things), str(rounds)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for i in range(processes)
    ]  # fmt: skip
    lines = []
    for process in started:
        told, _ = process.communicate(timeout=240)
        assert process.returncode == 0
        lines += [json.loads(line) for line in told.splitlines()]
    return lines


def by_thing(lines: list[list]) -> dict[int, list[Call]]:
    """The history of each thing; giving back what is not ours is refused, whoever holds it."""
    found: dict[int, list[Call]] = defaultdict(list)
    for number, began, ended, asked, answer, _ in lines:
        told = answer is True if asked[0] == "check_in" else answer
        found[number].append(Call(began, ended, tuple(asked), told))
    return found


def assert_linearizable(lines: list[list], model: Model) -> None:
    """Each thing's history could have happened in some order, and not all went smoothly."""
    histories = by_thing(lines)
    for number, history in histories.items():
        assert is_linearizable(history, model, None), (number, sorted(history))
    assert any(call.answer is not True for one in histories.values() for call in one)


def tokens_of(lines: list[list]) -> dict[int, list[int]]:
    """The fencing tokens that were given out."""
    found: dict[int, list[int]] = defaultdict(list)
    for number, _, _, asked, _, token in lines:
        if asked[0] == "check_out" and token:
            found[number].append(token)
    return found


@pytest.mark.parametrize(
    ("issues", "rounds"), [(ISSUES, ROUNDS), (3, 40)], ids=["200 issues", "3 issues"]
)
def test_sixteen_processes_race_and_each_issue_is_held_once(engine_server, issues, rounds):
    engine_server.client.flushdb()
    lines = races("issues", engine_server.url, issues, rounds)
    assert len(lines) > PROCESSES * rounds
    assert_linearizable(lines, lease_model)
    store = open_store(engine_server.url)
    use(store)
    assert run(issue_lists.processing()) == []
    counted = run(issue_lists.statistics())
    given = tokens_of(lines)
    assert counted.total == counted.completed == len(given)
    assert all(len(set(tokens)) == len(tokens) for tokens in given.values())
    asked = sum(run(labels.count_by_status()).values())
    assert asked == 2 * sum(len(tokens) for tokens in given.values())
    store.close()


def test_eight_processes_race_for_locks(engine_server):
    engine_server.client.flushdb()
    lines = races("locks", engine_server.url, 3, 60, processes=8)
    assert_linearizable(lines, lease_model)
    assert all(len(set(tokens)) == len(tokens) for tokens in tokens_of(lines).values())


@pytest.mark.parametrize("kind", ["redis", "file"])
def test_eight_processes_compare_and_set_the_same_entries(kind, engine_server, tmp_path):
    engine_server.client.flushdb()
    url = engine_server.url if kind == "redis" else (tmp_path / "state").as_uri()
    lines = races("entries", url, 3, 60 if kind == "redis" else 15, processes=8)
    assert_linearizable(lines, register_model)
