"""The Python API of CONTRACTS section 3: the factory and the two managers, on all stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from statecore.configuration import WrongConfiguration
from statecore.domain.errors import (
    HeldByAnother,
    InvalidInput,
    LockTimeout,
    NotCheckedOut,
    StaleToken,
    UnknownLock,
)
from statecore.factory import StateManagerFactory
from statecore.managers import StatusManager, UnifiedStateManager
from statecore.store.base import Store

ROOT = Path(__file__).parents[2]
EMPTY: dict = {}


@pytest.fixture
def status(store: Store) -> StatusManager:
    return StateManagerFactory.create_status_manager(EMPTY, store=store)


def test_the_example_of_the_contract(store: Store):
    manager = StateManagerFactory.create_status_manager(EMPTY, store=store)
    manager.initialize()
    record = manager.checkout(123, "process-1", "test-task")
    assert {"status", "processId", "pid", "startTime", "lastHeartbeat", "taskType"} < record.keys()
    assert (record["status"], record["processId"], record["taskType"], record["pid"]) == (
        "processing", "process-1", "test-task", os.getpid(),
    )  # fmt: skip
    assert record["metadata"] == {"retryCount": 0, "errorCount": 0}
    assert manager.update_heartbeat(123) is True
    record = manager.checkin(123, "completed", {"result": "success"})
    assert record["result"] == {"result": "success"}
    assert (record["processId"], record["pid"], record["lastHeartbeat"]) == (None, None, None)
    assert record["endTime"]
    assert record["lastUpdated"]
    state = StateManagerFactory.create_unified_state_manager(EMPTY, store=store)
    state.initialize()
    state.set("custom", "key", {"value": "data"})
    assert state.get("custom", "key") == {"value": "data"}
    assert state.get("issues", "123")["status"] == "completed"


def test_what_a_status_manager_says_of_issues(status: StatusManager):
    status.checkout(1, "p1")
    status.checkout(2, "p2")
    status.checkout(3, "p3")
    status.checkin(1)
    status.checkin(2, "awaiting-response")
    assert status.get_currently_processing() == [3]
    assert sorted(status.get_all_issue_statuses()) == [1, 2, 3]
    assert status.get_issue_status(2)["status"] == "awaiting-response"
    assert status.get_issue_status(99) is None
    assert status.update_heartbeat(1) is False
    assert status.get_statistics() == {
        "total": 3, "processing": 1, "completed": 1, "error": 0, "awaitingResponse": 1,
        "orphaned": 0,
    }  # fmt: skip
    assert status.update_status(1, "pending")["status"] == "pending"
    assert status.reset_issue_status(1) is True
    assert status.reset_issue_status(1) is False


def test_two_programs_do_not_take_the_same_issue(store: Store):
    ann = StatusManager(store)
    bob = StatusManager(store)
    ann.checkout(5, "ann")
    with pytest.raises(HeldByAnother, match="already being processed by ann"):
        bob.checkout(5, "bob")
    with pytest.raises(HeldByAnother):
        bob.checkin(5, process_id="bob")
    with pytest.raises(HeldByAnother):
        bob.update_status(5, "completed")
    with pytest.raises(NotCheckedOut):
        bob.checkin(6)
    ann.reset_issue_status(5)
    bob.checkout(5, "bob")
    late = StatusManager(store)
    late._tokens[5] = 1
    with pytest.raises(StaleToken):
        late.checkin(5)
    assert late.update_heartbeat(5) is False


@pytest.mark.parametrize("status_name", ["", "done", "PROCESSING", "processing", None, 5])
def test_an_unknown_status_is_refused(status: StatusManager, status_name):
    status.checkout(5, "ann")
    with pytest.raises(InvalidInput, match="status"):
        status.checkin(5, status_name)
    assert status.get_currently_processing() == [5]


def test_a_dead_programs_issue_is_found_and_given_back(store: Store, tmp_path: Path):
    if store.name == "memory":
        pytest.skip("the memory store is of one process")
    url = getattr(store, "url", None) or f"file://{tmp_path / 'state'}"
    code = (
        "import sys; from statecore.store import open_store;"
        "from statecore.managers import StatusManager;"
        "StatusManager(open_store(sys.argv[1])).checkout(7, 'dead')"
    )
    subprocess.run([sys.executable, "-c", code, url], check=True, cwd=ROOT)
    manager = StatusManager(store)
    (orphan,) = manager.detect_orphaned_issues()
    assert (orphan["issueNumber"], orphan["reason"]) == (7, "process_gone")
    assert manager.get_statistics()["orphaned"] == 1
    assert manager.repair_orphaned_issues() == [7]
    record = manager.get_issue_status(7)
    assert (record["status"], record["result"]["error"]) == ("error", "Process died unexpectedly")
    assert record["result"]["originalPid"] == orphan["pid"]


def test_label_requests_become_files_when_nobody_else_delivers_them(store: Store, tmp_path: Path):
    manager = StateManagerFactory.create_status_manager(EMPTY, tmp_path / "state", store=store)
    manager.checkout(34, "p1")
    manager.checkin(34)
    found = sorted((tmp_path / "state" / "requests").glob("label-update-*.json"))
    requests = [json.loads(path.read_text()) for path in found]
    assert [(one["issueNumber"], one["action"]) for one in requests] == [(34, "update")] * 2
    assert [one["addLabels"] for one in requests] == [["processing"], ["completed"]]
    assert [one["removeLabels"] for one in requests] == [[], ["processing"]]
    assert requests[0].keys() == {
        "requestId", "timestamp", "issueNumber", "action", "addLabels", "removeLabels",
        "requestedBy", "processId",
    }  # fmt: skip


def test_locks_in_blocks(store: Store):
    manager = UnifiedStateManager(store)
    with manager.lock("deploy", ttl_s=30) as held:
        with pytest.raises(LockTimeout), manager.lock("deploy", wait_s=0.05):
            pytest.fail("two hold the same lock")
        assert held.renew().token == held.token
        first = held.token
    with pytest.raises(UnknownLock):
        held.renew()
    with manager.lock("deploy") as again:
        assert again.token > first


async def test_async_twins(status: StatusManager):
    await status.acheckout(5, "ann")
    assert await status.aupdate_heartbeat(5)
    assert (await status.acheckin(5))["status"] == "completed"
    assert not await status.aupdate_heartbeat(5)
    await status.store.aclose()


# -- the factory -----------------------------------------------------------------------

REDIS = {"unifiedStateManagement": {"backend": "redis", "redis": {"enabled": True}}}


@pytest.mark.parametrize(
    ("config", "backend"),
    [
        ({}, "file"),
        (REDIS, "redis"),
        ({"unifiedStateManagement": {"backend": "redis"}}, "file"),
        ({"unifiedStateManagement": {"redis": {"enabled": True}}}, "file"),
        ({"unifiedStateManagement": {"enabled": False, **REDIS["unifiedStateManagement"]}}, "file"),
        ({"somethingElse": 5}, "file"),
    ],
)
def test_the_backend_is_file_unless_redis_is_chosen_and_enabled(config, backend):
    assert StateManagerFactory.get_backend_type(config) == backend
    assert StateManagerFactory.is_redis_backend(config) is (backend == "redis")
    assert StateManagerFactory.is_file_backend(config) is (backend == "file")
    assert StateManagerFactory.validate_config(config) == {"valid": True, "error": None}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ([], "must be an object"),
        ({"backend": "mysql"}, "backend is 'mysql'; allowed: file or redis"),
        ({"enabled": "yes"}, "enabled is 'yes'; allowed: true or false"),
        ({"bakcend": "redis"}, "bakcend is no setting; did you mean backend?"),
        ({"redis": {"port": "6379"}}, "port is '6379'; allowed: a whole number"),
        ({"redis": {"db": -1}}, "db is -1"),
        ({"redis": {"host": ""}}, "host is ''"),
        ({"redis": {"password": 5}}, "password is (not shown)"),
        ({"redis": {"processId": 5}}, "processId is 5"),
        ({"redis": {"hots": "x"}}, "hots is no setting; did you mean host?"),
        ({"namespaces": []}, "namespaces must be an object"),
    ],
)
def test_a_wrong_configuration_is_refused_with_the_reason(section, said):
    config = {"unifiedStateManagement": section}
    answer = StateManagerFactory.validate_config(config)
    assert answer["valid"] is False
    assert said in answer["error"]
    for make in (
        StateManagerFactory.create_status_manager, StateManagerFactory.get_backend_type,
        StateManagerFactory.create_unified_state_manager, StateManagerFactory.get_config_info,
    ):  # fmt: skip
        with pytest.raises(WrongConfiguration):
            make(config)


def test_what_a_configuration_amounts_to_is_told_without_its_password():
    redis = {"enabled": True, "host": "h", "port": 1, "password": "pa55word", "db": 2}
    config = {
        "unifiedStateManagement": {
            "backend": "redis", "redis": redis, "namespaces": {"custom": {"description": "x"}},
        }
    }  # fmt: skip
    info = StateManagerFactory.get_config_info(config)
    assert info["redis"] == {
        "enabled": True, "host": "h", "port": 1, "db": 2, "hasPassword": True, "processId": None,
    }  # fmt: skip
    assert info["backend"] == "redis"
    assert info["namespaces"][-1] == "custom"
    assert "pa55word" not in json.dumps(info)


def test_a_configuration_may_be_a_file(tmp_path: Path, engine_server):
    engine_server.client.flushdb()
    redis = {"enabled": True, "port": engine_server.port}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"unifiedStateManagement": {"backend": "redis", "redis": redis}}))
    with StateManagerFactory.create_unified_state_manager(path) as manager:
        manager.set("custom", "k", "日本語")
    assert engine_server.client.hget("poppo:state:custom", "k").decode() == '"日本語"'
    path.write_text("{")
    assert "cannot be read as JSON" in StateManagerFactory.validate_config(path)["error"]


def test_what_one_process_sets_another_reads_at_once(engine_server):
    engine_server.client.flushdb()
    config = {
        "unifiedStateManagement": {
            "backend": "redis", "redis": {"enabled": True, "port": engine_server.port},
        }
    }  # fmt: skip
    with (
        StateManagerFactory.create_unified_state_manager(config) as one,
        StateManagerFactory.create_unified_state_manager(config) as other,
    ):
        for i in range(50):
            one.set("custom", "k", i)
            assert other.get("custom", "k") == i


def test_a_plain_script_needs_nothing_but_its_files(tmp_path: Path):
    script = """
from statecore.factory import StateManagerFactory
with StateManagerFactory.create_status_manager({}, "state") as manager:
    manager.checkout(123, "process-1", "test-task")
    manager.checkin(123, "completed", {"result": "成功"})
    print(manager.get_statistics()["completed"])
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
    written = json.loads((tmp_path / "state" / "unified-issues.json").read_text("utf-8"))
    assert written["123"]["result"] == {"result": "成功"}
    assert len(list((tmp_path / "state" / "requests").glob("label-update-*.json"))) == 2


@pytest.mark.parametrize("kind", ["redis", "file"])
def test_the_files_of_an_older_system_are_taken_over_at_the_first_start(
    kind, tmp_path: Path, engine_server
):
    engine_server.client.flushdb()
    state = tmp_path / "state"
    state.mkdir()
    old = {"issues": {"34": {"status": "completed", "taskType": "claude-cli"}}}
    (state / "issue-status.json").write_text(json.dumps(old))
    (state / "processed-issues.json").write_text("[98, 267]")
    redis = {"enabled": kind == "redis", "port": engine_server.port}
    config = {"unifiedStateManagement": {"backend": kind, "redis": redis}}
    for _ in range(2):
        with StateManagerFactory.create_status_manager(config, state) as manager:
            assert sorted(manager.get_all_issue_statuses()) == [34, 98, 267]
            assert manager.get_statistics()["completed"] == 3
    with StateManagerFactory.create_unified_state_manager(config, state) as other:
        assert other.get_processed_issues() == [34, 98, 267]
        assert other.get("config", "statusManagerMigrated")
    assert not (state / "issue-status.json").exists()
    assert list(state.glob("issue-status.json.backup-*"))
    assert not list(state.glob("requests/*"))
