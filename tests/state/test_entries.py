"""Namespaced state: values, versions, whole namespaces, transactions, changes."""

from __future__ import annotations

import threading

import pytest

from statecore import codec
from statecore.domain.entries import DEFAULT_NAMESPACES, Put
from statecore.domain.errors import (
    InvalidInput,
    NestedTransaction,
    TooLarge,
    UnknownEntry,
    VersionConflict,
)
from statecore.managers import UnifiedStateManager
from statecore.repository import Limits
from statecore.services import changes, namespaced
from statecore.services.engine import run
from statecore.store.base import Store
from tests.servers import until
from tests.state.conftest import use

VALUES = [
    None, True, 0, -1.5, 10**40, "", "日本語 🎧", [], {}, [[]], {"a": []}, {"": {"b": [1, None]}},
    9007199254740993, "\u2028", {"ключ": "значение"},
]  # fmt: skip

BAD_NAMES = [
    "",
    "a:b",
    "a/b",
    "a\\b",
    "a{b}",
    "a\nb",
    "a\0b",
    "x" * 10_000,
    " a",
    ".",
    "..",
    None,
    5,
]
BAD_KEYS = ["", "a\nb", "a\0b", "\x7f", "x" * 10_000, None, 5, "\ud800"]


@pytest.fixture
def manager(store: Store) -> UnifiedStateManager:
    """A manager on each kind of store."""
    return UnifiedStateManager(store)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_any_json_comes_back_as_it_was(manager, value):
    manager.set("custom", "key", value)
    found = manager.get("custom", "key", default="nothing")
    assert found == value
    assert type(found) is type(value)


def test_entries_are_set_read_counted_and_deleted(manager: UnifiedStateManager):
    assert manager.get("custom", "a") is None
    assert not manager.has("custom", "a")
    assert manager.delete("custom", "a") is False
    first = manager.set("custom", "a", 1)
    assert manager.set("custom", "a", 2) > first
    manager.set("custom", "b/c", [3])
    assert manager.get_all("custom") == manager.get("custom") == {"a": 2, "b/c": [3]}
    assert manager.delete("custom", "a") is True
    assert manager.get("custom") == {"b/c": [3]}
    assert manager.namespaces() == (*DEFAULT_NAMESPACES, "custom")


def test_a_namespace_is_replaced_and_cleared_as_a_whole(manager: UnifiedStateManager):
    manager.set_all("tasks", {"a": 1, "b": 2})
    manager.set_all("tasks", {"b": 3, "c": 4})
    assert manager.get_all("tasks") == {"b": 3, "c": 4}
    manager.clear("tasks")
    assert manager.get_all("tasks") == {}


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: repr(name)[:20])
def test_a_namespace_that_cannot_be_a_name_is_refused(still, memory_store, name):
    manager = UnifiedStateManager(memory_store)
    for call in (manager.get_all, manager.clear, lambda ns: manager.set(ns, "k", 1)):
        with pytest.raises(InvalidInput, match="namespace"):
            call(name)
    assert manager.namespaces() == DEFAULT_NAMESPACES


@pytest.mark.parametrize("key", BAD_KEYS, ids=lambda key: repr(key)[:20])
def test_a_key_that_cannot_be_one_is_refused(still, memory_store, key):
    with pytest.raises(InvalidInput, match="key"):
        run(namespaced.put("custom", key, 1))
    assert UnifiedStateManager(memory_store).get_all("custom") == {}


def test_values_that_cannot_be_kept_are_refused_and_change_nothing(manager: UnifiedStateManager):
    manager.set("custom", "k", "old")
    deep: list = []
    for _ in range(200):
        deep = [deep]
    for value in (float("nan"), float("inf"), object(), {1, 2}, b"x", deep, "\ud800"):
        with pytest.raises(InvalidInput):
            manager.set("custom", "k", value)
    with pytest.raises(TooLarge, match="1000001 bytes"):
        manager.set("custom", "k", "x" * 999_999)
    manager.set("custom", "big", "x" * 999_998)
    assert manager.get("custom", "k") == "old"
    assert len(manager.get("custom", "big")) == 999_998


def test_the_limit_of_a_value_is_a_setting(memory_store):
    use(memory_store, Limits(value_max_bytes=10))
    run(namespaced.put("custom", "k", "x" * 8))
    with pytest.raises(TooLarge, match="at most 10"):
        run(namespaced.put("custom", "k", "x" * 9))


def test_compare_and_set_by_version(manager: UnifiedStateManager):
    version = manager.compare_and_set("custom", "k", 1, None)
    with pytest.raises(VersionConflict) as conflict:
        manager.compare_and_set("custom", "k", 2, None)
    assert conflict.value.facts["version"] == version
    newer = manager.compare_and_set("custom", "k", 2, version)
    with pytest.raises(VersionConflict):
        manager.compare_and_set("custom", "k", 3, version)
    with pytest.raises(VersionConflict):
        run(namespaced.delete("custom", "k", if_version=version))
    assert manager.get("custom", "k") == 2
    assert run(namespaced.delete("custom", "k", if_version=newer))
    with pytest.raises(VersionConflict):
        manager.compare_and_set("custom", "k", 4, newer)


def test_versions_grow_even_over_deletions_within_a_millisecond(still, memory_store):
    manager, versions = UnifiedStateManager(memory_store), []
    for _ in range(5):
        versions.append(manager.set("custom", "k", 1))
        manager.delete("custom", "k")
    assert versions == sorted(set(versions))


def test_many_wishes_come_true_together_or_not_at_all(store: Store):
    a = Put(namespace="a", key="k", raw=b"1")
    run(namespaced.put_many([a, Put(namespace="b", key="k", raw=b"2")]))
    with pytest.raises(VersionConflict):
        run(namespaced.put_many([a, Put(namespace="b", key="k", raw=b"3", if_absent=True)]))
    with pytest.raises(VersionConflict, match="twice"):
        run(namespaced.put_many([a, a]))
    with pytest.raises(UnknownEntry):
        run(namespaced.require("c", "k"))
    assert run(namespaced.get("a", "k")).raw == b"1"
    assert run(namespaced.get("b", "k")).raw == b"2"


# -- transactions ------------------------------------------------------------------


def test_a_transaction_sees_its_own_writes_and_ends_in_one_step(manager: UnifiedStateManager):
    manager.set("a", "old", 1)

    def move(tx):
        tx.set("b", "new", tx.get("a", "old") + 1)
        assert tx.delete("a", "old")
        assert tx.get("b", "new") == 2
        assert not tx.has("a", "old")
        assert tx.get_all("b") == {"new": 2}
        assert manager.get("b", "new") is None  # nobody else sees it yet
        return "moved"

    assert manager.transaction(move) == "moved"
    assert (manager.get_all("a"), manager.get_all("b")) == ({}, {"new": 2})


def test_a_transaction_that_fails_changes_nothing(manager: UnifiedStateManager):
    def fail(tx):
        tx.set("a", "k", 1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        manager.transaction(fail)
    assert manager.get_all("a") == {}


def test_nothing_escapes_a_transaction(manager: UnifiedStateManager):
    calls = [
        lambda tx: manager.transaction(lambda inner: None), lambda tx: manager.set("a", "k", 1),
        lambda tx: manager.delete("a", "k"), lambda tx: manager.clear("a"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(NestedTransaction):
            manager.transaction(call)
    manager.set("a", "k", 2)
    assert manager.get("a", "k") == 2


def test_concurrent_transactions_lose_nothing(manager: UnifiedStateManager):
    manager.set_all("bank", {"a": 100, "b": 100})

    def move(tx):
        a, b = tx.get("bank", "a"), tx.get("bank", "b")
        assert a + b == 200 or not tx.is_current()
        tx.set("bank", "a", a - 1)
        tx.set("bank", "b", b + 1)

    threads = [
        threading.Thread(target=lambda: [manager.transaction(move) for _ in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert manager.get_all("bank") == {"a": 60, "b": 140}


def test_a_transaction_on_a_whole_namespace_notices_new_keys(manager: UnifiedStateManager):
    manager.set("tasks", "a", 1)
    runs = []

    def count(tx):
        found = tx.get_all("tasks")
        if not runs:  # somebody else adds one while we compute
            threading.Thread(target=manager.set, args=("tasks", "b", 1)).run()
        runs.append(len(found))
        tx.set("counts", "tasks", len(found))

    # The other writer is another program: it knows nothing of this transaction.
    manager_set, manager.set = manager.set, lambda *at: run(namespaced.put(*at))
    manager.transaction(count)
    manager.set = manager_set
    assert runs == [1, 2]
    assert manager.get("counts", "tasks") == 2


# -- changes ------------------------------------------------------------------------


def told(namespaces: set[str], cursor: str = "") -> list[tuple]:
    """Changes as (namespace, key, old, new)."""
    found = run(changes.changes_after(cursor, namespaces=frozenset(namespaces)))
    return [(one.namespace, one.key, one.old, one.new) for one in found.changes]


def test_each_change_is_told_in_order_with_old_and_new(manager: UnifiedStateManager):
    manager.set("a", "k", 1)
    manager.set("b", "k", {"x": None})
    manager.set_all("a", {"m": [2]})
    manager.delete("a", "m")
    assert told({"a"}) == [
        ("a", "k", None, 1), ("a", "m", None, [2]), ("a", "k", 1, None), ("a", "m", [2], None),
    ]  # fmt: skip
    assert told({"b"}) == [("b", "k", None, {"x": None})]
    assert len(told(set())) == 5


def test_changes_go_on_from_a_cursor(manager: UnifiedStateManager):
    begin = run(changes.now_cursor())
    manager.set("a", "k", 1)
    first = run(changes.changes_after(begin))
    manager.set("a", "k", 2)
    assert told({"a"}, first.cursor) == [("a", "k", 1, 2)]
    assert told({"a"}, first.changes[0].cursor) == [("a", "k", 1, 2)]
    with pytest.raises(InvalidInput, match="cursor"):
        run(changes.changes_after("nowhere"))


def test_large_values_are_told_too_and_a_watcher_that_is_too_late_is_told_so(memory_store, clock):
    use(memory_store)
    large = "x" * 500_000
    run(namespaced.put("a", "k", large))
    run(namespaced.put("a", "k", large + "y"))
    assert told({"a"}) == [("a", "k", None, large), ("a", "k", large, large + "y")]
    clock.advance(3600)
    assert run(changes.changes_after("")).reset


def test_watchers_hear_each_change_and_a_failing_one_stops_nobody(
    manager: UnifiedStateManager, caplog
):
    heard, enough = [], threading.Event()

    def fail(key, old, new):
        raise RuntimeError("a watcher's own fault")

    def hear(key, old, new):
        heard.append((key, old, new))
        if len(heard) == 20:
            enough.set()

    manager.watch("tasks", fail)
    watch = manager.watch("tasks", hear)
    for i in range(20):
        manager.set("tasks", "k", i)
        manager.set("other", "k", i)
    assert enough.wait(20)
    assert heard == [("k", i - 1 if i else None, i) for i in range(20)]
    # Each watch hears in a thread of its own: the failing one may come later.
    until(lambda: caplog.text.count("RuntimeError: a watcher's own fault") == 20)
    manager.unwatch("tasks")
    manager.set("tasks", "k", "unheard")
    assert len(heard) == 20
    resumed = threading.Event()
    manager.watch("tasks", lambda key, old, new: resumed.set(), cursor=watch.cursor)
    assert resumed.wait(20)
    manager.unwatch("tasks")


def test_older_programs_find_their_helpers(manager: UnifiedStateManager):
    manager.add_processed_issue(98)
    manager.set("issues", "99", {"status": "awaiting-response"})
    manager.set("issues", "100", {"status": "error"})
    assert manager.get_processed_issues() == [98, 99]
    assert manager.is_issue_processed(99)
    assert not manager.is_issue_processed(100)
    manager.add_running_task("t1", {"issueNumber": 5})
    manager.set("tasks", "t2", {"status": "pending"})
    assert manager.get_running_tasks() == {"t1": {"issueNumber": 5, "status": "running"}}
    assert manager.remove_running_task("t1")


async def test_async_twins(manager: UnifiedStateManager):
    await manager.aset("a", "k", [1])
    assert await manager.aget("a", "k") == [1]
    assert await manager.adelete("a", "k")
    assert await manager.aget("a", "k", 0) == 0
    async with manager.lock("deploy", ttl_s=5) as lock:
        assert lock.token > 0
    await manager.store.aclose()


def test_damaged_text_in_the_engine_is_said_to_be_so():
    for raw in (b"{", b'{"a":1,"a":2}', b"NaN", b"\xff", b""):
        with pytest.raises(InvalidInput):
            codec.decode_json(raw)
