"""A fleet whose processes stop between any two requests loses nothing; a broken one is caught."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable

import msgspec
import pytest

from orchard.domain import chunks
from orchard.services import claims, cleanup, limits, outlooks
from statecore.domain.errors import VersionConflict
from statecore.services import namespaced
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from statecore.store.steps import Steps, read
from tests.faults import broken_stores
from tests.faults.evidence import Told, find_broken_invariants, find_faults, gather
from tests.faults.interleaving import Interleaving
from tests.faults.turns import IDLE, Turns
from tests.state.histories import Call, is_linearizable, register_model

SEED = int(os.environ.get("SOAK_SEED", "1"))
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "3")) * 10
TRIES = 12
"""So many seeds may go by before a broken system must have been caught."""


def play(seed: int, make: Callable[[ManualClock], MemoryStore] = MemoryStore) -> list[str]:
    """What is wrong after one fleet's life, in words."""
    clock = ManualClock()
    store = make(clock)
    fleet = Interleaving(seed, store, clock)
    fleet.run()
    evidence = gather(store, fleet.job_ids, fleet.told)
    broken = find_broken_invariants(store, files=False, pause_s=0)
    store.close()
    return find_faults(evidence) + broken


def caught(
    make: Callable[[ManualClock], MemoryStore] = MemoryStore, complaint: str = ""
) -> list[str]:
    """What the checks say of a broken system when they say this; nothing when they never do."""
    plays = (play(seed, make) for seed in range(SEED, SEED + TRIES))
    return next((said for said in plays if said and complaint in " ".join(said)), [])


@pytest.fixture(autouse=True)
def _many_attempts(monkeypatch):
    """Chunks and stages are not given up here: what is looked for is what gets lost."""
    real_chunk, real_stage = limits.chunk_policy, limits.stage_policy
    for module in ("starts", "reports"):
        monkeypatch.setattr(
            f"orchard.services.{module}.chunk_policy",
            lambda: msgspec.structs.replace(real_chunk(), max_attempts=1000),
        )
    monkeypatch.setattr(
        "orchard.services.pipeline.stage_policy",
        lambda: msgspec.structs.replace(real_stage(), max_attempts=1000),
    )


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_nothing_is_lost_and_nothing_counted_twice_however_processes_take_turns(seed):
    assert play(seed) == []


@pytest.fixture(autouse=True)
def _always_a_choice(monkeypatch):
    """Processes look before each claim, however little time passes here, and after other tests."""
    monkeypatch.setattr(outlooks, "PLAIN_S", 0.0)
    monkeypatch.setattr(claims, "plain_times", outlooks.PlainTimes())


def is_done(one: Told) -> bool:
    """Whether this was a report that counted."""
    return one.what == "complete" and one.answer == "yes"


def test_processes_do_die_and_late_reports_are_refused_in_these_histories():
    clock = ManualClock()
    deaths, refused, doubted = 0, 0, 0
    copies, done = set[tuple[str, int]](), set[tuple[str, int]]()
    for seed in range(SEED, SEED + 5):
        fleet = Interleaving(seed, MemoryStore(clock), clock)
        fleet.run()
        deaths += fleet.deaths
        refused += sum(one.answer == "stale_token" for one in fleet.told)
        doubted += sum(one.answer == "doubted" for one in fleet.told)
        copies |= {(one.chunk_id, one.token) for one in fleet.told if one.what == "copy"}
        done |= {(one.chunk_id, one.token) for one in fleet.told if is_done(one)}
    assert deaths > 5
    assert refused > 5
    assert doubted > 5
    assert copies & done


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (broken_stores.Careless, "counts-wrong"),
        (broken_stores.Forgetful, "is impossible"),
        (broken_stores.Hasty, "was counted"),
    ],
)
def test_a_broken_store_is_caught(make, complaint):
    assert caught(make, complaint)


def test_a_claim_that_hands_a_chunk_out_twice_is_caught(monkeypatch):
    """Whoever takes a chunk over gets the token that its last holder still has."""
    start = chunks.start_chunk

    def start_again(job_id, chunk, *given, at):
        change = start(job_id, chunk, *given, at=at)
        token = max(chunk.token, 1)
        return msgspec.structs.replace(
            change, chunk=msgspec.structs.replace(change.chunk, token=token)
        )

    monkeypatch.setattr(chunks, "start_chunk", start_again)
    assert caught(complaint="is impossible")


def test_a_report_that_ignores_the_token_is_caught(monkeypatch):
    monkeypatch.setattr(chunks, "check_holder", lambda chunk, token: None)
    assert caught(complaint="is impossible")


def test_work_that_is_lost_with_its_process_is_caught(monkeypatch):
    """Nobody looks for leases that ran out, neither the reaper nor who claims."""
    monkeypatch.setattr(cleanup, "expire_leases", lambda: read())
    assert re.search(
        r"is (created|splitting|processing|aggregating)", " ".join(caught(broken_stores.Sealed))
    )


# -- compare-and-set of the state side


def swaps_are_linearizable(seed: int, make: Callable[[ManualClock], MemoryStore]) -> bool:
    """Whether four processes that swap one entry by its version could have taken their turns."""
    store = make(ManualClock())
    fleet, told = Turns(seed, store), []
    for number in range(4):
        fleet.start(f"p{number}", swap(fleet, f"p{number}", told))
    while fleet.processes:
        fleet.turn()
    store.close()
    return is_linearizable(told, register_model, None)


def swap(fleet: Turns, name: str, told: list[Call]) -> Steps[None]:
    """Read an entry, think, and put something new in its place, ten times."""
    for number in range(10):
        began = fleet.turns
        entry = yield from namespaced.get("race", "one")
        before = json.loads(entry.raw) if entry else None
        told.append(Call(began, fleet.turns, ("read",), before))
        for _ in range(fleet.chance.choice((0, 3))):
            yield IDLE
        began, new = fleet.turns, f"{name}-{number}"
        version = entry.version if entry else None
        try:
            yield from namespaced.put(
                "race", "one", new, if_version=version, if_absent=version is None
            )
            answer = True
        except VersionConflict:
            answer = False
        told.append(Call(began, fleet.turns, ("swap", before, new), answer))


def test_swaps_are_linearizable_however_processes_take_turns():
    assert all(swaps_are_linearizable(seed, MemoryStore) for seed in range(SEED, SEED + ROUNDS))


@pytest.mark.parametrize("make", [broken_stores.Careless, broken_stores.Forgetful])
def test_swaps_on_a_broken_store_are_caught(make):
    assert not all(swaps_are_linearizable(seed, make) for seed in range(SEED, SEED + TRIES))
