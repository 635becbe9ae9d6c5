"""Locks: one holder at a time, leases that end, tokens that only grow."""

import threading
import time

import pytest

from statecore import keys
from statecore.domain.errors import (
    HeldByAnother,
    InvalidInput,
    LockTimeout,
    StaleToken,
    UnknownLock,
)
from statecore.services import locks, run
from statecore.store import ops
from statecore.store.base import Store


def test_a_lock_has_one_holder_and_says_who(store: Store):
    lock = run(locks.acquire("deploy", "ann", 60_000))
    assert (lock.owner, lock.ttl_ms) == ("ann", 60_000)
    with pytest.raises(HeldByAnother, match="deploy is held by ann") as held:
        run(locks.acquire("deploy", "bob"))
    assert held.value.facts["holder"] == "ann"
    assert run(locks.get("deploy")) == lock
    assert [one.name for one in run(locks.list_locks())] == ["deploy"]
    assert run(locks.acquire("other", "bob")).owner == "bob"


def test_the_holder_gets_it_again_with_the_same_token_and_a_new_lease(still):
    first = run(locks.acquire("deploy", "ann", 10_000))
    still.advance(9)
    again = run(locks.acquire("deploy", "ann", 10_000))
    assert (again.token, again.acquired_at) == (first.token, first.acquired_at)
    still.advance(9)
    assert run(locks.get("deploy")).owner == "ann"


def test_tokens_grow_over_release_expiry_and_forgetting(memory_store, still):
    tokens = [run(locks.acquire("deploy", "ann", 1000)).token]
    run(locks.release("deploy", "ann"))
    tokens.append(run(locks.acquire("deploy", "bob", 1000)).token)
    still.advance(1.1)
    tokens.append(run(locks.acquire("deploy", "cid", 1000)).token)
    still.advance(3700)  # the last token is remembered for an hour
    tokens.append(run(locks.acquire("deploy", "ann", 1000)).token)
    still.advance(0.001)
    memory_store.flush()
    tokens.append(run(locks.acquire("deploy", "ann", 1000)).token)
    assert tokens == sorted(set(tokens))


def test_tokens_grow_faster_than_the_clock_when_they_must(still):
    tokens = []
    for _ in range(5):  # the time stands still
        tokens.append(run(locks.acquire("deploy", "ann")).token)
        run(locks.release("deploy", "ann"))
    assert tokens == [*range(tokens[0], tokens[0] + 5)]


def test_a_lease_that_ends_frees_the_lock(still):
    run(locks.acquire("deploy", "ann", 5000))
    still.advance(4.9)
    with pytest.raises(HeldByAnother):
        run(locks.acquire("deploy", "bob"))
    still.advance(0.2)
    with pytest.raises(UnknownLock):
        run(locks.get("deploy"))
    with pytest.raises(UnknownLock):
        run(locks.renew("deploy", "ann"))
    assert run(locks.list_locks()) == []
    assert run(locks.acquire("deploy", "bob")).owner == "bob"


def test_the_usual_lease_is_five_minutes_and_renewing_keeps_it(still):
    lock = run(locks.acquire("deploy", "ann"))
    for _ in range(3):
        still.advance(299)
        assert run(locks.renew("deploy", "ann", lock.token)).token == lock.token
    still.advance(299)
    run(locks.renew("deploy", "ann", ttl_ms=1000))
    still.advance(1.1)
    with pytest.raises(UnknownLock):
        run(locks.renew("deploy", "ann"))


def test_only_the_holder_renews_and_releases(store: Store):
    lock = run(locks.acquire("deploy", "ann"))
    for refused in (locks.release("deploy", "bob"), locks.renew("deploy", "bob")):
        with pytest.raises(HeldByAnother, match="held by ann"):
            run(refused)
    for refused in (locks.release("deploy", "ann", 1), locks.renew("deploy", "ann", 1)):
        with pytest.raises(StaleToken):
            run(refused)
    assert run(locks.get("deploy")) == lock
    run(locks.release("deploy", "ann", lock.token))
    with pytest.raises(UnknownLock):
        run(locks.release("deploy", "ann", lock.token))


def test_a_late_release_does_not_free_what_another_holds_now(still):
    old = run(locks.acquire("deploy", "ann", 1000))
    still.advance(2)
    run(locks.acquire("deploy", "ann", 1000))
    with pytest.raises(StaleToken):
        run(locks.release("deploy", "ann", old.token))
    assert run(locks.get("deploy")).token > old.token


def test_waiting_gets_the_lock_when_it_is_released(store: Store):
    run(locks.acquire("deploy", "ann"))
    got = []
    waiting = threading.Thread(
        target=lambda: got.append(run(locks.wait_for("deploy", "bob", timeout_s=20)))
    )
    waiting.start()
    run(locks.release("deploy", "ann"))
    waiting.join(20)
    assert [one.owner for one in got] == ["bob"]


def test_waiting_ends_when_the_time_is_over_and_names_the_holder(store: Store):
    run(locks.acquire("deploy", "ann"))
    begun = time.monotonic()
    with pytest.raises(LockTimeout) as late:
        run(locks.wait_for("deploy", "bob", timeout_s=0.2))
    assert late.value.facts["holder"] == "ann"
    assert 0.15 < time.monotonic() - begun < 5


def test_waiting_gets_the_lock_of_a_holder_that_died(store: Store):
    run(locks.acquire("deploy", "dead", 150))
    assert run(locks.wait_for("deploy", "bob", timeout_s=20)).owner == "bob"


@pytest.mark.parametrize(
    ("name", "owner", "ttl_ms", "field"),
    [("", "a", 1000, "lock"), ("a:b", "a", 1000, "lock"), ("x" * 300, "a", 1000, "lock"),
     ("l", "", 1000, "owner"), ("l", "a\0", 1000, "owner"), ("l", "a", 0, "ttl_s"),
     ("l", "a", -5, "ttl_s"), ("l", "a", 86_400_001, "ttl_s")],
)  # fmt: skip
def test_what_cannot_be_a_lock_is_refused(store: Store, name, owner, ttl_ms, field):
    with pytest.raises(InvalidInput, match=field):
        run(locks.acquire(name, owner, ttl_ms))
    assert run(locks.list_locks()) == []


def test_locks_that_are_over_leave_the_list(memory_store, still):
    run(locks.acquire("short", "ann", 1000))
    run(locks.acquire("long", "ann", 60_000))
    still.advance(3)
    assert [one.name for one in run(locks.list_locks())] == ["long"]
    assert run(locks.forget_expired()) == 1
    assert [name for name, _ in memory_store.scan_index(keys.LOCKS, 10)] == ["long"]


def test_a_lock_deleted_by_hand_is_free(store: Store):
    before = run(locks.acquire("deploy", "ann"))
    store.commit({}, [ops.Delete((keys.lock("deploy"),))])
    assert run(locks.acquire("deploy", "bob")).token > before.token


@pytest.mark.parametrize("ttl_ms", [60_000, 40], ids=["released", "partly by running out"])
def test_eight_threads_never_hold_a_lock_together(store: Store, ttl_ms):
    """With short leases a holder may be late: then what its token protects must refuse it."""
    protected = Protected()
    threads = [
        threading.Thread(target=contend, args=(f"t{n}", ttl_ms, protected)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(protected.tokens) == 8 * ROUNDS
    assert protected.tokens == sorted(set(protected.tokens))
    if ttl_ms > 1000:
        assert protected.refused == 0


ROUNDS = 5


class Protected:
    """Something that takes tokens and refuses one that is not larger than the last."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.refused = 0
        self._guard = threading.Lock()

    def write(self, token: int) -> bool:
        with self._guard:
            if self.tokens and token <= self.tokens[-1]:
                self.refused += 1
                return False
            self.tokens.append(token)
            return True


def contend(owner: str, ttl_ms: int, protected: Protected) -> None:
    done = 0
    while done < ROUNDS:
        lock = run(locks.wait_for("hot", owner, ttl_ms, timeout_s=60))
        if ttl_ms > 1000:
            assert run(locks.get("hot")).owner == owner
        done += protected.write(lock.token)
        if ttl_ms > 1000 or done % 2:  # else it is left to run out
            try:
                run(locks.release("hot", owner, lock.token))
            except (UnknownLock, HeldByAnother, StaleToken):
                assert ttl_ms < 1000
        else:
            time.sleep(ttl_ms / 1000)  # the lease it was asked for
