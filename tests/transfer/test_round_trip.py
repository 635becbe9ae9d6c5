"""Out of an engine, into files, and back again: nothing is lost."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from statecore import keys
from statecore.domain.errors import HeldByAnother, StaleToken
from statecore.domain.issues import Claimant, Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.services import (
    checkouts,
    imports,
    issue_lists,
    labels,
    migrations,
    namespaced,
    processes,
    transfer,
)
from statecore.services.imports import Mode, import_export
from statecore.store import open_store, ops
from statecore.store.memory import MemoryStore
from tests.transfer.reading import check_issues, values, whole


def export(store, path: Path) -> transfer.ExportReport:
    with path.open("wb") as stream:
        return transfer.export(store, stream)


def content(path: Path) -> dict:
    """What an export says, but for when and from where."""
    found = json.loads(path.read_text("utf-8"))
    for name in ("exportedAt", "source", "sha256"):
        del found[name]
    return found


def fill(store, directory: Path) -> None:
    """All there can be: what was migrated, and what agents have done since."""
    migrations.migrate(store, directory)
    agent = Holder(process_id="agent-1", pid=4711, host=socket.gethostname(), ttl_ms=60_000)
    store.run(processes.register("agent-1", pid=4711, role="agent", task_type="修正"))
    for number in (7001, 7002, 7003):
        store.run(checkouts.check_out(number, agent))
    store.run(checkouts.check_in(7001, IssueStatus.COMPLETED, {"要約": "済🍊", "n": 2**70}))
    store.run(checkouts.check_in(7002, IssueStatus.ERROR, ["a", None, 1.5]))
    store.run(checkouts.check_out(7001, agent))  # what its last check-in brought is kept meanwhile
    store.run(namespaced.put("custom", "キー 1", {"deep": [{"a": '\u2028\x7f\\"'}], "f": 1e-7}))
    store.run(namespaced.put("custom", "half", "\\ud800"))
    for request in store.run(labels.claim(1)):
        store.run(labels.mark_failed(request.request_id, "no", final=True))


def test_from_an_engine_into_files_and_back_it_is_the_same_byte_for_byte(
    redis_store, old, tmp_path
):
    fill(redis_store, old[0])
    first, second, third = (tmp_path / f"{n}.json" for n in "123")
    export(redis_store, first)
    files = open_store((tmp_path / "state").as_uri())
    import_export(files, first)
    export(files, second)
    back = MemoryStore()
    import_export(back, second)
    export(back, third)
    assert content(first) == content(second) == content(third)
    assert len(content(first)["namespaces"]["issues"]) == 309
    lines = [path.read_bytes().splitlines()[5:-2] for path in (first, second, third)]
    assert lines[0] == lines[1] == lines[2]
    check_issues(files)
    check_issues(back)
    files.close()


def test_whoever_held_an_issue_goes_on_with_it_after_a_move(store, tmp_path):
    source = MemoryStore()
    holder = Holder(process_id="agent", pid=1, host="h", ttl_ms=600_000)
    held = source.run(checkouts.check_out(34, holder))
    export(source, tmp_path / "a.json")
    import_export(store, tmp_path / "a.json")
    with pytest.raises(HeldByAnother):
        store.run(checkouts.check_out(34, Holder(process_id="another")))
    with pytest.raises(StaleToken):
        store.run(checkouts.heartbeat(34, Claimant(token=held.token - 1)))
    done = store.run(checkouts.check_in(34, IssueStatus.COMPLETED, {}, Claimant(token=held.token)))
    assert done.status == "completed"
    assert store.run(checkouts.check_out(34, holder)).token > held.token


def test_history_process_metadata_and_requests_come_along(store, old, tmp_path):
    source = MemoryStore()
    fill(source, old[0])
    export(source, tmp_path / "a.json")
    import_export(store, tmp_path / "a.json")
    events = [raw for _, raw in store.run(issue_lists.history(7001)).entries]
    assert events == [raw for _, raw in source.run(issue_lists.history(7001)).entries]
    assert len(events) == 3
    assert store.run(labels.count_by_status()) == source.run(labels.count_by_status())
    assert store.run(processes.held_by("agent-1")) == [7001, 7003]
    for key in (keys.issue_metadata(7001), keys.process_info("agent-1")):
        ref = ops.WholeHash(key)
        assert store.read(ref) == source.read(ref) != [{}]


def test_merging_keeps_what_is_not_in_the_file_and_the_file_has_the_say(store, tmp_path):
    source = MemoryStore()
    source.run(namespaced.put("tasks", "both", "from the file"))
    source.run(checkouts.update(1, IssueStatus.COMPLETED))
    export(source, tmp_path / "a.json")
    store.run(namespaced.put("tasks", "both", "here"))
    store.run(namespaced.put("tasks", "mine", 1))
    store.run(checkouts.check_out(1, Holder(process_id="agent")))
    asked = store.run(labels.count_by_status())
    report = import_export(store, tmp_path / "a.json")
    assert (report.new, report.replaced, report.deleted) == (0, 2, 0)
    assert values(store, "tasks") == {"both": "from the file", "mine": 1}
    assert store.run(checkouts.get(1)).status == "completed"
    assert store.run(issue_lists.processing()) == []
    check_issues(store)
    after = store.run(labels.count_by_status())
    assert after["queued"] == asked["queued"] + 1  # the one that waited in the file


def test_replacing_deletes_what_is_not_in_the_file_and_asks_for_no_labels(store, tmp_path):
    source = MemoryStore()
    source.run(namespaced.put("tasks", "kept", 1))
    export(source, tmp_path / "a.json")
    store.run(namespaced.put("extra", "gone", 1))
    store.run(checkouts.check_out(5, Holder(process_id="agent")))
    asked = store.run(labels.count_by_status())
    preview = import_export(store, tmp_path / "a.json", Mode.REPLACE, dry_run=True)
    assert (preview.new, preview.deleted) == (1, 2)
    assert values(store, "extra") == {"gone": 1}
    report = import_export(store, tmp_path / "a.json", Mode.REPLACE)
    assert (report.new, report.deleted) == (1, 2)
    assert whole(store) == {"tasks": {"kept": 1}}
    assert store.run(labels.count_by_status()) == asked
    check_issues(store)


def test_importing_again_changes_nothing(store, old, tmp_path):
    source = MemoryStore()
    fill(source, old[0])
    export(source, tmp_path / "a.json")
    import_export(store, tmp_path / "a.json")
    export(store, tmp_path / "b.json")
    report = import_export(store, tmp_path / "a.json", Mode.REPLACE)
    assert (report.new, report.replaced, report.deleted) == (0, 0, 0)
    assert (report.processes, report.label_requests) == (0, 0)
    export(store, tmp_path / "c.json")
    assert content(tmp_path / "b.json") == content(tmp_path / "c.json")


def test_what_is_no_state_is_in_the_export_for_people_and_said_to_be(redis_store, tmp_path):
    redis_store.run(namespaced.put("tasks", "good", 1))
    damage = {"bytes": b"\xff\xfe", "twice": b'{"a":1,"a":2}', "nan": b"NaN"}
    redis_store.commit({}, [ops.HashSet(keys.state("tasks"), damage)])
    redis_store.commit({}, [ops.HashSet(keys.state("issues"), {"5": b'{"status":"odd"}'})])
    report = export(redis_store, tmp_path / "a.json")
    assert len(report.damaged) == 4
    texts = [one["text"] for one in content(tmp_path / "a.json")["damaged"].values()]
    assert "\udcff\udcfe" in texts
    target = MemoryStore()
    assert import_export(target, tmp_path / "a.json").not_imported == 4
    assert whole(target) == {"tasks": {"good": 1}}


def test_lines_that_other_programs_have_indented_come_out_on_one_line(redis_store, tmp_path):
    text = b'{\n  "a": [1,\n 2.50, "\\u3042"]\n}'
    redis_store.commit({}, [ops.HashSet(keys.state("tasks"), {"k": text})])
    export(redis_store, tmp_path / "a.json")
    assert '"k": {"a":[1,2.50,"あ"]}' in (tmp_path / "a.json").read_text("utf-8")
    assert imports.check_export(tmp_path / "a.json").counts == {"entries": 1}
