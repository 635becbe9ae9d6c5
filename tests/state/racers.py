"""A process of the race: checks issues out and in, and writes down what it was answered.

Run as ``python -m tests.state.racers URL NAME SEED ISSUES ROUNDS``; prints one JSON line a call.
"""

from __future__ import annotations

import json
import random
import sys
import time

from statecore.domain.errors import HeldByAnother, NotCheckedOut
from statecore.domain.issues import Claimant, Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts
from statecore.store import open_store


def race(url: str, name: str, seed: int, issues: int, rounds: int) -> None:
    """Check out what is free, hold it for a moment, check it in; some things that are not ours."""
    store, chance = open_store(url), random.Random(seed)
    for _ in range(rounds):
        number = chance.randrange(1, issues + 1)
        token = None

        def ask(action: str, steps, number=number):
            began = time.monotonic()
            try:
                answer: object = store.run(steps)
            except HeldByAnother as held:
                answer = held.facts["holder"]
            except NotCheckedOut:
                answer = None
            told = answer.token if hasattr(answer, "token") else None
            plain = True if told is not None else answer
            line = [number, began, time.monotonic(), action, name, plain, told]
            sys.stdout.write(json.dumps(line) + "\n")
            return told

        token = ask("check_out", checkouts.check_out(number, Holder(process_id=name)))
        if chance.random() < 0.3:
            time.sleep(chance.random() * 0.002)
        if token or chance.random() < 0.3:
            claimant = Claimant(process_id=name, token=token)
            ask("check_in", checkouts.check_in(number, IssueStatus.COMPLETED, {}, claimant))
    store.close()


if __name__ == "__main__":
    race(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
