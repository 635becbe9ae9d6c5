"""Many processes at once: each issue is held once, and the histories are linearizable."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from statecore.domain.lifecycle import IssueStatus
from statecore.services import issue_lists, labels
from statecore.services.engine import run
from statecore.store import open_store
from tests.state.conftest import use
from tests.state.histories import Call, is_linearizable, lease_model

ROOT = Path(__file__).parents[2]
PROCESSES, ISSUES, ROUNDS = 16, 200, 150


def races(url: str, processes: int, issues: int, rounds: int) -> list[list]:
    """What all processes were answered."""
    command = [sys.executable, "-m", "tests.state.racers", url]
    started = [
        subprocess.Popen(
            [*command, f"p{i}", str(i), str(issues), str(rounds)],
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


def by_issue(lines: list[list]) -> dict[int, list[Call]]:
    """The history of each issue; a check-in that was refused says ``False`` whoever holds it."""
    found: dict[int, list[Call]] = defaultdict(list)
    for number, began, ended, action, name, answer, _ in lines:
        told = answer is True if action == "check_in" else answer
        found[number].append(Call(began, ended, (action, name), told))
    return found


@pytest.mark.parametrize(
    ("issues", "rounds"), [(ISSUES, ROUNDS), (3, 40)], ids=["200 issues", "3 issues"]
)
def test_sixteen_processes_race_and_each_issue_is_held_once(engine_server, issues, rounds):
    engine_server.client.flushdb()
    lines = races(engine_server.url, PROCESSES, issues, rounds)
    assert len(lines) > PROCESSES * rounds
    histories = by_issue(lines)
    for number, history in histories.items():
        assert is_linearizable(history, lease_model, None), (number, sorted(history))
    assert any(call.answer is not True for one in histories.values() for call in one)
    store = open_store(engine_server.url)
    use(store)
    assert run(issue_lists.processing()) == []
    counted = run(issue_lists.statistics())
    assert counted.total == counted.completed == len({line[0] for line in lines if line[5] is True})
    tokens: dict[int, list[int]] = defaultdict(list)
    for number, _, _, action, _, _, token in lines:
        if action == "check_out" and token:
            tokens[number].append(token)
    assert all(len(set(given)) == len(given) for given in tokens.values())
    asked = sum(run(labels.count_by_status()).values())
    assert asked == 2 * sum(len(given) for given in tokens.values())
    assert IssueStatus.PROCESSING not in {
        one.status for one in run(issue_lists.all_issues()).values()
    }
    store.close()
