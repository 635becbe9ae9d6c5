"""Check-outs, locks and compare-and-set while the engine dies, stands still, is full and forgets.

Whatever was answered could have been answered by one careful clerk: the histories are
linearizable. A call without an answer may have happened at any time after, or never.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from redis.crc import key_slot

from statecore.store.layouts import HOME, tagged
from tests.clusters import ClusterEngine
from tests.conftest import EngineServer
from tests.engines import SentinelEngine, started
from tests.faults.failovers import WAYS, replace
from tests.faults.orchard_processes import ROOT, wait_for
from tests.faults.sizes import Size
from tests.servers import ServerProcess, until
from tests.state.histories import (
    UNKNOWN,
    Call,
    is_linearizable,
    lease_model,
    register_model,
)
from tests.state.racers import UNHEARD

SIZE = Size.chosen()
MODELS = {"issues": lease_model, "locks": lease_model, "entries": register_model}
ROUNDS = SIZE.rounds
RACERS, THINGS = 2, 40
"""Processes of each kind, and how many issues, locks and entries they race for."""


def kill(server: EngineServer) -> None:
    server.kill()
    server.client.connection_pool.disconnect()
    time.sleep(0.1)
    server.start()
    write_at_once(server)


def write_at_once(server: EngineServer) -> None:
    """Have each commit on the disk before it is answered.

    With ``everysec``, the engine may keep what it has answered in its own memory for as long
    as the disk is busy, up to two seconds: killed then, it forgets acknowledged commits.
    """
    server.client.config_set("appendfsync", "always")


def stand_still(server: EngineServer) -> None:
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(min(SIZE.pause_s, 1.0))
    server.process.send_signal(signal.SIGCONT)


def forget_scripts(server: EngineServer) -> None:
    server.client.script_flush()


def fill(server: EngineServer) -> None:
    server.client.config_set("maxmemory", "1")
    time.sleep(0.3)
    server.client.config_set("maxmemory", "0")


FAULTS: tuple[Callable[[EngineServer], None], ...] = (kill, stand_still, forget_scripts, fill)


class Racer:
    """A process that races until it is told to stop."""

    def __init__(self, what: str, url: str, number: int, folder: Path) -> None:
        self.what = what
        self._path = folder / f"{what}-{number}.jsonl"
        asked = [what, url, f"{what}-{number}", str(SIZE.seed + number), str(THINGS), "0"]
        command = [sys.executable, "-m", "tests.state.racers", *asked]
        with self._path.open("w") as told:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=told)

    def is_racing(self) -> bool:
        """Whether it has been answered anything yet."""
        return self._path.stat().st_size > 0

    def was_refused(self) -> bool:
        """Whether something was answered with a refusal."""
        told = map(json.loads, self._path.read_text().splitlines()[:-1])
        return any(asked != ["read"] and answer not in (True, UNHEARD)
                   for _, _, _, asked, answer, _ in told)  # fmt: skip

    def stop(self) -> list[str]:
        """What it was answered, line by line."""
        self._process.terminate()
        assert self._process.wait(60) == 0
        return self._path.read_text().splitlines()


def histories(lines: list[str]) -> dict[int, list[Call]]:
    """The history of each thing; giving back what is not ours is refused, whoever holds it."""
    found: dict[int, list[Call]] = defaultdict(list)
    for number, began, ended, asked, answer, _ in map(json.loads, lines):
        if answer == UNHEARD:
            found[number].append(Call(began, float("inf"), tuple(asked), UNKNOWN))
        else:
            told = answer is True if asked[0] == "check_in" else answer
            found[number].append(Call(began, ended, tuple(asked), told))
    return found


@pytest.mark.timeout(2 * SIZE.patience_s + 60 * SIZE.rounds)
def test_histories_are_linearizable_while_the_engine_breaks(
    own_engine_server: EngineServer, tmp_path: Path
):
    chance = random.Random(SIZE.seed)
    write_at_once(own_engine_server)
    racers = start_racers(own_engine_server.url, tmp_path)
    for _ in range(SIZE.rounds):
        for fault in chance.sample(FAULTS, len(FAULTS)):
            time.sleep(chance.random() * 0.5)  # a random moment
            fault(own_engine_server)
    await_refusals(racers)
    found = {what: histories(told) for what, told in answers(racers).items()}
    check_disturbed(found)
    for what, by_number in found.items():
        check(what, by_number)


@pytest.mark.timeout(2 * SIZE.patience_s + 60 * SIZE.rounds)
@pytest.mark.parametrize("kind", [SentinelEngine, ClusterEngine])
def test_histories_are_linearizable_while_primaries_are_lost(kind, tmp_path: Path):
    """What is only read may be a change that its primary took along; nobody decides on it."""
    chance = random.Random(SIZE.seed)
    with started(kind(tmp_path / "engine", replicas=2)) as engine:
        racers = start_racers(f"{engine.url}?durability=replicated", tmp_path)
        for number in range(ROUNDS):
            time.sleep(chance.random())  # a random moment
            bring_back = replace(engine, home_of(engine), WAYS[number % len(WAYS)])
            time.sleep(chance.random())
            bring_back()
            until(engine.is_whole)
        await_refusals(racers)
        found = {what: histories(told) for what, told in answers(racers).items()}
    check_disturbed(found)
    for what, by_number in found.items():
        check(what, {n: list(filter(decides, calls)) for n, calls in by_number.items()})


def home_of(engine: SentinelEngine | ClusterEngine) -> ServerProcess:
    """The primary that has all of issues, locks and entries."""
    is_cluster = isinstance(engine, ClusterEngine)
    return engine.owner(key_slot(tagged(HOME, "").encode())) if is_cluster else engine.primary()


def decides(call: Call) -> bool:
    """Whether a call was not only a look."""
    return call.asked[0] != "read"


def start_racers(url: str, folder: Path) -> list[Racer]:
    """Processes of each kind that race already."""
    racers = [Racer(what, url, number, folder) for what in MODELS for number in range(RACERS)]
    wait_for("all to race", lambda: all(one.is_racing() for one in racers))
    return racers


def await_refusals(racers: list[Racer]) -> None:
    """Go on until somebody of each kind was refused: else they did not race for anything."""
    for what in MODELS:
        some = [one for one in racers if one.what == what]
        wait_for(f"a refusal of {what}", lambda some=some: any(one.was_refused() for one in some))


def answers(racers: list[Racer]) -> dict[str, list[str]]:
    """What racers of each kind were answered until now; they end."""
    told: dict[str, list[str]] = defaultdict(list)
    for one in racers:
        told[one.what] += one.stop()
    return told


def check_disturbed(found: dict[str, dict[int, list[Call]]]) -> None:
    """Something was in the way of somebody: all live in one partition, so the faults met them."""
    calls = [call for each in found.values() for history in each.values() for call in history]
    assert any(call.answer is UNKNOWN for call in calls), "nothing was in the way"


def check(what: str, found: dict[int, list[Call]]) -> None:
    """Some were refused, and everything could have happened like this."""
    calls = [call for history in found.values() for call in history]
    assert any(call.answer not in (True, UNKNOWN) for call in calls)
    for number, history in found.items():
        wrong = f"SOAK_SEED={SIZE.seed} {what} {number}: {sorted(history)}"
        assert is_linearizable(history, MODELS[what], None), wrong
