"""A process of a race: it asks for what others ask for as well, and writes down the answers.

Run as ``python -m tests.state.racers WHAT URL NAME SEED THINGS ROUNDS``; prints one JSON line a
call: what it was about, when the call began and ended, what was asked, and what was answered.
Without rounds (0) it goes on until SIGTERM, more slowly. A call whose answer the engine kept to
itself has the answer ``?``: nobody knows whether it happened.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from orchard.conf_engine import CLUSTER_PARTITIONS
from orchard.placement import LAYOUT
from orchard.stopping import StopEvent
from statecore.domain.entries import Entry
from statecore.domain.errors import HeldByAnother, NotCheckedOut, UnknownLock, VersionConflict
from statecore.domain.issues import Claimant, Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts, locks, namespaced
from statecore.store import Store, open_store
from statecore.store.errors import StoreUnavailable
from statecore.store.partitions import PartitionedStore
from statecore.store.steps import Steps

Ask = Callable[[str, Steps[Any]], Any]
UNHEARD = "?"
AWAY_S, THINKING_S = 0.2, 0.01
STOPPING = StopEvent()


def opened(url: str) -> Store:
    """The engine, as the services see it."""
    store = open_store(url)
    return PartitionedStore(store, CLUSTER_PARTITIONS, LAYOUT) if "+cluster" in url else store


def turns(rounds: int) -> Iterator[int]:
    """So many rounds, or as many as there is time for."""
    number = 0
    while number < rounds or (not rounds and not STOPPING.wait(random.random() * THINKING_S)):
        yield number
        number += 1


def race_for_issues(ask: Ask, name: str, chance: random.Random, number: int) -> None:
    """Check out what is free, hold it for a moment, check it in; some things that are not ours."""
    issue = ask("check_out", checkouts.check_out(number, Holder(process_id=name)))
    if chance.random() < 0.3:
        time.sleep(chance.random() * 0.002)
    if issue or chance.random() < 0.3:
        claimant = Claimant(process_id=name, token=issue.token if issue else None)
        ask("check_in", checkouts.check_in(number, IssueStatus.COMPLETED, {}, claimant))


def race_for_locks(ask: Ask, name: str, chance: random.Random, number: int) -> None:
    """The same with locks, by the words of the same model."""
    held = ask("check_out", locks.acquire(f"lock-{number}", name))
    if held or chance.random() < 0.3:
        ask("check_in", locks.release(f"lock-{number}", name, held.token if held else None))


def race(what: str, url: str, name: str, seed: int, things: int, rounds: int) -> None:
    """Ask for one thing after the other, and tell what was answered."""
    store, chance = opened(url), random.Random(seed)
    for _ in turns(rounds):
        number = chance.randrange(1, things + 1)

        def ask(action: str, steps: Steps[Any], number: int = number) -> Any:
            began, found, answer = time.monotonic(), None, None
            try:
                found = store.run(steps)
                answer = True
            except HeldByAnother as held:
                answer = held.facts["holder"]
            except (NotCheckedOut, UnknownLock):
                pass
            except StoreUnavailable:
                answer = UNHEARD
                time.sleep(AWAY_S)
            token = getattr(found, "token", None)
            tell([number, began, time.monotonic(), [action, name], answer, token])
            return found

        RACES[what](ask, name, chance, number)
    store.close()


def race_for_entries(url: str, seed: int, things: int, rounds: int) -> None:
    """Read entries, and swap what was read for something new, by version."""
    store, chance, seen = opened(url), random.Random(seed), {}
    for i in turns(rounds):
        number = chance.randrange(1, things + 1)
        began = time.monotonic()
        if number not in seen or chance.random() < 0.3:
            try:
                entry = store.run(namespaced.get("race", str(number)))
            except StoreUnavailable:
                time.sleep(AWAY_S)
                continue
            seen[number] = entry
            tell([number, began, time.monotonic(), ["read"], value_of(entry), None])
            continue
        before, new = seen.pop(number), f"{seed}-{i}"
        version = before.version if before else None
        put = namespaced.put(
            "race", str(number), new, if_version=version, if_absent=version is None
        )
        try:
            store.run(put)
            answer = True
        except VersionConflict:
            answer = False
        except StoreUnavailable:
            answer = UNHEARD
            time.sleep(AWAY_S)
        asked = ["swap", value_of(before), new]
        tell([number, began, time.monotonic(), asked, answer, None])
    store.close()


def value_of(entry: Entry | None) -> str | None:
    """What an entry holds."""
    return json.loads(entry.raw) if entry else None


def tell(line: list[Any]) -> None:
    """Print one call."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


RACES = {"issues": race_for_issues, "locks": race_for_locks}

if __name__ == "__main__":
    what, url, name = sys.argv[1:4]
    signal.signal(signal.SIGTERM, lambda *_: STOPPING.set())
    if what == "entries":
        race_for_entries(url, *map(int, sys.argv[4:]))
    else:
        race(what, url, name, *map(int, sys.argv[4:]))
