"""Old state directories are taken over: all of it, once, and without a label request."""

from __future__ import annotations

import json
import threading

import pytest

from statecore.domain.issues import Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.services import (
    checkouts,
    issue_lists,
    migration_flag,
    migrations,
    namespaced,
    orphans,
    recorded,
)
from statecore.services.migration_flag import FLAG
from statecore.services.migrations import NotVerified, Options, migrate
from statecore.store import open_store
from tests.transfer.directories import DAMAGED, SAID, make_directory, write
from tests.transfer.reading import check_issues, label_requests, values, whole


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_every_kind_of_file_is_taken_over(store, old):
    directory, records = old
    report = migrate(store, directory, Options(verify=True))
    assert report.outcome == "migrated"
    issues = values(store, "issues")
    assert {key: issues[key] for key in records} == records
    assert issues["8001"]["status"] == "completed"
    assert values(store, "comments")["34"] == ["IC_newer"]
    assert values(store, "comments")["7"] == ["IC_kwDOO70", "IC_kwDOO71", "IC_kwDOO72"]
    config = values(store, "config")
    assert config["lastRun"] == {"lastRun": "2025-06-23T15:13:59.243Z", "件数": 12}
    assert config["issueStatus"] == {"lastSync": "2025-06-23T15:13:59.243Z"}
    assert config["大きな数"] == 12345678901234567890
    assert report.requests == 3
    check_issues(store)


def test_tasks_keep_their_state_their_order_and_every_character(store, old):
    migrate(store, old[0])
    tasks = values(store, "tasks")
    running = {key: one for key, one in tasks.items() if one["status"] == "running"}
    pending = [one for one in tasks.values() if one["status"] == "pending"]
    assert set(running) == {f"task-{n}" for n in range(1, 6)}
    assert running["task-3"]["title"] == "修正 #3 🍊"
    pending.sort(key=lambda one: one["queuePosition"])
    assert [one["issue"]["number"] for one in pending] == [*range(500, 530), 500]
    assert all(one["issue"]["body"] == SAID * 30 for one in pending)


def test_nobody_is_asked_for_labels(store, old):
    migrate(store, old[0])
    assert label_requests(store) == 0
    page = store.run(issue_lists.list_issues(limit=200))
    assert page.count == 306
    times = [one.last_updated for one in page.issues if one.last_updated]
    assert len(times) > 100
    assert times == sorted(times, reverse=True)


def test_what_is_being_processed_by_nobody_is_found_as_an_orphan(store, old):
    directory, records = old
    migrate(store, directory)
    held = {int(key) for key, one in records.items() if one["status"] == "processing"} | {9002}
    found = store.run(orphans.detect())
    assert {orphan.issue.number for orphan in found} == held


def test_a_damaged_file_stays_and_is_told_of(lasting, old):
    directory, _ = old
    before = (directory / DAMAGED).read_bytes()
    report = migrate(lasting, directory)
    assert [one.file for one in report.left] == [DAMAGED]
    assert "damaged" in report.left[0].why
    assert (directory / DAMAGED).read_bytes() == before
    json_files = [name for name in names(directory) if name.endswith(".json")]
    assert json_files == [DAMAGED]
    (directory / DAMAGED).write_text('{"ccla": {"最後": "直した"}}', "utf-8")
    migrate(lasting, directory, Options(force=True))
    assert values(lasting, "agents") == {"ccla": {"最後": "直した"}}


def test_files_get_their_new_names_when_all_is_in_the_engine(lasting, old):
    directory, _ = old
    at_first_rename = []

    def look(what, done, total):
        if what == "renaming" and not at_first_rename:
            at_first_rename.append((names(directory), lasting.run(migration_flag.read_flag())))

    migrate(lasting, directory, progress=look)
    [(files, flag)] = at_first_rename
    assert not [name for name in files if ".backup-" in name]
    assert flag["counts"]["entries"] == 425
    renamed = [name for name in names(directory) if ".backup-" in name]
    assert len(renamed) == 9
    assert all(name.rpartition("-")[2].isdigit() for name in renamed)
    assert len(list((directory / "requests").iterdir())) == 3


def test_the_second_time_nothing_is_done(lasting, old):
    directory, _ = old
    migrate(lasting, directory)
    before, files = whole(lasting), names(directory)
    report = migrate(lasting, directory)
    assert (report.outcome, report.files) == ("already", [])
    assert (whole(lasting), names(directory)) == (before, files)


def test_doing_it_again_finds_everything_there(store, old, tmp_path):
    directory, _ = old
    copy = tmp_path / "copy"
    make_directory(copy)
    migrate(store, directory)
    before = whole(store)
    report = migrate(store, copy, Options(force=True))
    assert {(one.new, one.kept, one.replaced) for one in report.files} == {(0, 0, 0)}
    assert whole(store) == before


def test_a_dry_run_changes_nothing(store, old):
    directory, _ = old
    files = names(directory)
    report = migrate(store, directory, Options(dry_run=True))
    assert report.outcome == "dry-run"
    assert sum(one.new for one in report.files) == 425
    assert (whole(store), names(directory)) == ({}, files)
    assert store.run(migration_flag.read_flag()) is None


def test_what_the_engine_knows_better_stays_unless_the_files_shall_have_the_say(store, old):
    directory, records = old
    store.run(namespaced.put("issues", "1", {"status": "error", "why": "newer"}))
    store.run(namespaced.put("config", "言語", "en"))
    report = migrate(store, directory, Options(force=True))
    assert values(store, "issues")["1"] == {"status": "error", "why": "newer"}
    assert values(store, "config")["言語"] == "en"
    told = {note.key for note in report.notes if "which stays" in note.what}
    assert told == {"1", "言語"}
    make_directory(directory)
    migrate(store, directory, Options(force=True, overwrite=True))
    assert values(store, "issues")["1"] == records["1"]
    assert values(store, "config")["言語"] == "ja"
    check_issues(store)


def test_what_was_changed_after_a_death_in_the_middle_stays(store, old):
    directory, _ = old

    class Death(Exception):
        pass

    def die(what, done, total):
        if done == total:
            raise Death

    with pytest.raises(Death):
        migrate(store, directory, progress=die)
    assert store.run(migration_flag.read_flag()) is None
    holder = Holder(process_id="agent", pid=1, host="h")
    store.run(checkouts.check_out(1, holder))
    store.run(checkouts.check_in(1, IssueStatus.ERROR, {"error": "x"}))
    store.run(checkouts.reset(2))
    migrate(store, directory)
    issues = values(store, "issues")
    assert (issues["1"]["status"], issues["1"]["result"]) == ("error", {"error": "x"})
    assert "2" not in issues
    check_issues(store)


def test_a_file_that_somebody_still_writes_is_not_renamed(lasting, old):
    directory, _ = old
    path = directory / "processed-comments.json"

    def write_on(what, done, total):
        if what == "writing":
            write(path, {"34": ["IC_later"]})

    report = migrate(lasting, directory, progress=write_on)
    assert [one.file for one in report.left] == [DAMAGED, path.name][::-1]
    assert json.loads(path.read_text()) == {"34": ["IC_later"]}


def test_entries_that_are_none_are_refused_one_by_one(lasting, tmp_path):
    directory = tmp_path / "old"
    directory.mkdir()
    write(directory / "unified-agents.json", {"": 1, "good": 2, "line\nbreak": 3, "k" * 2000: 4})
    write(directory / "unified-a:b.json", {"x": 1})
    write(directory / "issue-status.json", {"issues": {"34": None, "x": {}, "35": "completed"}})
    write(directory / "processed-issues.json", [0, -1, 2**60, "36", None, {"number": 37}])
    write(directory / "unified-config.json", {FLAG: True, "large": "x" * 1_000_001})
    report = migrate(lasting, directory)
    assert values(lasting, "agents") == {"good": 2}
    assert set(values(lasting, "issues")) == {"35", "36", "37"}
    refused = {note.key[:10] for note in report.notes if note.is_refused}
    assert refused == {
        "", "line\nbreak", "k" * 10, "x", "34", "0", "-1", str(2**60)[:10], "None", "large",
    }  # fmt: skip
    assert {one.file for one in report.left} == set(names(directory))


def test_verification_finds_what_is_not_as_it_was_put(lasting, old, monkeypatch):
    directory, _ = old
    files = names(directory)

    def meddle(what, done, total):
        if what == "verifying" and not done:
            lasting.run(namespaced.put("config", "言語", "fr"))

    with pytest.raises(NotVerified, match="config/言語"):
        migrate(lasting, directory, Options(verify=True), meddle)
    assert names(directory) == files
    assert lasting.run(migration_flag.read_flag()) is None


def test_the_memory_store_leaves_the_files_because_it_forgets(memory_store, old):
    directory, _ = old
    files = names(directory)
    assert migrate(memory_store, directory).outcome == "migrated"
    assert names(directory) == files


def test_a_file_store_takes_over_the_older_files_of_its_own_directory(old):
    directory, records = old
    (directory / DAMAGED).unlink()
    store = open_store(directory.as_uri())
    migrate(store, directory)
    assert {key: values(store, "issues")[key] for key in records} == records
    store.close()
    kept = [name for name in names(directory) if name.endswith(".json")]
    assert kept == [f"unified-{each}.json" for each in ("comments", "config", "issues", "tasks")]


def test_a_directory_of_the_file_store_is_said_to_hold_more(lasting, tmp_path):
    store = open_store((tmp_path / "used").as_uri())
    store.run(checkouts.check_out(34, Holder(process_id="agent")))
    store.close()
    report = migrate(lasting, tmp_path / "used")
    assert [note.file for note in report.notes] == ["orchard-state.journal"]
    assert values(lasting, "issues")["34"]["processId"] == "agent"
    assert label_requests(lasting) == 0


class TestFirstStart:
    def test_old_files_are_taken_over_once(self, lasting, old, caplog):
        directory, records = old
        report = migrations.migrate_at_first_start(lasting, directory)
        assert report.outcome == "migrated"
        assert f"{DAMAGED} stays: damaged" in caplog.text
        assert set(records) <= set(values(lasting, "issues"))
        assert migrations.migrate_at_first_start(lasting, directory) is None

    @pytest.mark.parametrize("place", ["nothing", "empty"])
    def test_without_files_nothing_happens(self, lasting, tmp_path, place):
        (tmp_path / "empty").mkdir()
        assert migrations.migrate_at_first_start(lasting, tmp_path / place) is None
        assert lasting.run(migration_flag.read_flag()) is None

    def test_of_two_that_start_at_once_one_does_it(self, lasting, old):
        directory, _ = old
        begun, reports = threading.Barrier(2), []

        def start():
            begun.wait()
            reports.append(migrations.migrate_at_first_start(lasting, directory))

        threads = [threading.Thread(target=start) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [one.outcome for one in reports if one] == ["migrated"]
        check_issues(lasting)

    def test_the_flag_reset_it_happens_again(self, lasting, old, tmp_path):
        directory, _ = old
        migrate(lasting, directory)
        make_directory(directory, seed=2)  # the older system was used again
        report = migrations.migrate_at_first_start(lasting, directory)
        assert report.outcome == "already"
        assert all("has changed" in one.why for one in report.left)
        assert lasting.run(migration_flag.reset())
        assert not lasting.run(migration_flag.reset())
        assert migrations.migrate_at_first_start(lasting, directory).outcome == "migrated"


def test_a_batch_is_compared_anew_when_somebody_sets_one_of_its_entries(store):
    one = recorded.check("tasks", "a", b'{"n":1}')
    steps = recorded.put_batch([one])
    request = next(steps)
    reply = store.perform(request)
    store.run(namespaced.put("tasks", "a", {"n": 2}))

    def go_on():
        return (yield from _from(steps, reply))

    outcome = store.run(go_on())
    assert outcome.kept == (("tasks", "a"),)
    assert values(store, "tasks")["a"] == {"n": 2}


def _from(steps, reply):
    """Steps that go on where the first reply has just come in."""
    try:
        request = steps.send(reply)
        while True:
            try:
                reply = yield request
            except Exception as error:
                request = steps.throw(error)
            else:
                request = steps.send(reply)
    except StopIteration as done:
        return done.value
