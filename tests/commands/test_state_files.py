"""The commands that move state, as somebody types them."""

from __future__ import annotations

import gzip
import io
import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from orchard.services import engine
from statecore.services import namespaced, run
from tests.transfer.directories import DAMAGED, make_directory
from tests.transfer.reading import whole

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(memory_store, tmp_path, settings):
    """The site runs on a memory store, and has folders of its own."""
    settings.STATECORE = {
        **site_settings.STATECORE,
        "STATE_DIR": tmp_path / "old",
        "BACKUP_DIR": tmp_path / "backups",
    }
    before = engine.use(memory_store)
    yield memory_store
    engine.use(before)


@pytest.fixture
def audio(settings):
    """The site's storage, in memory, with one recording."""
    backend = "django.core.files.storage.InMemoryStorage"
    settings.STORAGES = {**site_settings.STORAGES, "default": {"BACKEND": backend}}
    default_storage.save("jobs/会議.wav", ContentFile(b"sound"))
    return default_storage


def told(name: str, *words: str) -> str:
    """What a command prints."""
    out = io.StringIO()
    call_command(name, *words, stdout=out)
    return out.getvalue()


def told_json(name: str, *words: str):
    return json.loads(told(name, *words, "--json"))


class TestMigrating:
    def test_it_tells_of_each_file_and_fails_when_one_is_left(self, site, tmp_path):
        make_directory(tmp_path / "old", issues=20)
        out = io.StringIO()
        with pytest.raises(CommandError, match=DAMAGED) as left:
            call_command("migrate_state", verify=True, stdout=out)
        assert left.value.returncode == 3
        assert "issue-status.json" in out.getvalue()
        assert "3 label requests stay" in out.getvalue()
        assert "status 'done' is read as completed" in out.getvalue()

    def test_json_says_it_all(self, site, tmp_path):
        make_directory(tmp_path / "old", issues=20, damaged=False)
        report = told_json("migrate_state", "--dry-run")
        assert report["outcome"] == "dry-run"
        assert whole(site) == {}
        report = told_json("migrate_state")
        assert (report["outcome"], report["store"], report["requests"]) == ("migrated", "memory", 3)
        assert told_json("migrate_state")["outcome"] == "already"
        assert "--force does it again" in told("migrate_state")

    def test_into_another_store_and_reset(self, site, tmp_path):
        directory, url = tmp_path / "elsewhere", (tmp_path / "engine").as_uri()
        make_directory(directory, issues=20, damaged=False)
        words = ("--state-dir", str(directory), "--store", url)
        assert told_json("migrate_state", *words)["store"] == "file"
        assert whole(site) == {}
        assert told_json("reset_migration", "--store", url) == {"deleted": True}
        assert told_json("reset_migration", "--store", url) == {"deleted": False}
        assert "holds no state files" in told("migrate_state", *words)

    @pytest.mark.parametrize("options", [
        {}, {"store": "nothing://"}, {"store": "redis://127.0.0.1:1/0"},
    ])  # fmt: skip
    def test_what_cannot_be_is_one_sentence(self, site, tmp_path, options):
        if options:
            make_directory(tmp_path / "old", issues=5)
        with pytest.raises(CommandError) as refusal:
            call_command("migrate_state", **options)
        assert "\n" not in str(refusal.value)


class TestExporting:
    def test_out_and_into_a_state_directory(self, site, tmp_path):
        run(namespaced.put("tasks", "題", {"本文": "🍊"}))
        path, directory = tmp_path / "a.json", tmp_path / "files"
        assert told_json("export_state", str(path))["counts"] == {"entries": 1}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        report = told_json("import_state", str(path), "--state-dir", str(directory))
        assert (report["new"], report["mode"]) == (1, "merge")
        assert json.loads((directory / "unified-tasks.json").read_bytes()) == {
            "題": {"本文": "🍊"}
        }  # fmt: skip
        back = tmp_path / "b.json.gz"
        told("export_state", str(back), "--state-dir", str(directory))
        assert (
            gzip.decompress(back.read_bytes()).splitlines()[5:-2]
            == (path.read_bytes().splitlines()[5:-2])
        )
        assert "1 the same" in told("import_state", str(back))

    def test_a_file_that_is_there_is_replaced_only_when_told_to(self, site, tmp_path):
        path = tmp_path / "a.json"
        path.write_text("precious")
        with pytest.raises(CommandError, match="--force"):
            call_command("export_state", str(path))
        assert path.read_text() == "precious"
        call_command("export_state", str(path), force=True, stdout=io.StringIO())
        assert "orchard-state" in path.read_text()

    @pytest.mark.parametrize("data", [b"", b"{}", b"\x1f\x8b", None])
    def test_a_bad_file_is_named_with_the_reason(self, site, tmp_path, data):
        path = tmp_path / "bad.json"
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(CommandError, match=r"bad\.json: "):
            call_command("import_state", str(path))
        assert whole(site) == {}

    def test_replacing_and_trying_it_first(self, site, tmp_path):
        run(namespaced.put("tasks", "a", 1))
        path = str(tmp_path / "a.json")
        told("export_state", path)
        run(namespaced.put("tasks", "b", 2))
        assert "1 deleted" in told("import_state", path, "--mode", "replace", "--dry-run")
        assert whole(site) == {"tasks": {"a": 1, "b": 2}}
        told("import_state", path, "--mode", "replace")
        assert whole(site) == {"tasks": {"a": 1}}

    def test_two_stores_are_one_too_many(self, site, tmp_path):
        with pytest.raises(CommandError, match="name one"):
            call_command("export_state", str(tmp_path / "a"), store="memory://", state_dir="x")

    def test_a_folder_that_is_not_there_is_named(self, site, tmp_path):
        with pytest.raises(CommandError, match="nowhere"):
            call_command("export_state", str(tmp_path / "nowhere" / "a.json"))


class TestBackups:
    def test_made_listed_verified_and_restored(self, site, audio, tmp_path):
        run(namespaced.put("tasks", "a", 1))
        made = told_json("backup_state", "--name", "夜", "--hash-audio")
        assert made["backup"]["audioFiles"] == 1
        assert "夜" in told("backup_state", "--list")
        assert [one["name"] for one in told_json("backup_state", "--list")] == ["夜"]
        assert "whole and unaltered" in told("backup_state", "--verify", "夜")
        run(namespaced.put("tasks", "a", 2))
        audio.delete("jobs/会議.wav")
        text = told("restore_state", "夜", "--yes")
        assert "1 replaced" in text
        assert "before-restore-" in text
        assert "会議.wav" in text
        assert whole(site) == {"tasks": {"a": 1}}

    def test_without_a_yes_nothing_is_restored(self, site, audio, monkeypatch):
        told("backup_state", "--name", "a")
        run(namespaced.put("tasks", "new", 1))
        monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
        with pytest.raises(CommandError, match="--yes"):
            call_command("restore_state", "a")
        assert whole(site) == {"tasks": {"new": 1}}

    @pytest.mark.parametrize(
        ("harm", "why"),
        [
            (lambda data: data[: len(data) // 2], "manifest"),
            (lambda data: data.replace(b'"version":', b'"version": 9, "was":'), "version 9"),
        ],
    )
    def test_one_that_will_not_do_is_refused_and_nothing_is_changed(
        self, site, audio, tmp_path, harm, why
    ):
        told("backup_state", "--name", "a")
        manifest = tmp_path / "backups" / "a" / "manifest.json"
        manifest.write_bytes(harm(manifest.read_bytes()))
        run(namespaced.put("tasks", "new", 1))
        with pytest.raises(CommandError, match=why) as refusal:
            call_command("restore_state", "a", "--yes")
        assert "\n" not in str(refusal.value)
        assert whole(site) == {"tasks": {"new": 1}}
        assert [path.name for path in (tmp_path / "backups").iterdir()] == ["a"]

    def test_pruning_after_a_new_one_or_alone(self, site, audio):
        for name in "abc":
            told("backup_state", "--name", name)
        report = told_json("backup_state", "--name", "d", "--prune-keep", "2")
        assert set(report["deleted"]) == {"a", "b"}
        assert told_json("backup_state", "--prune-only", "--prune-keep", "1")["deleted"] == ["c"]
        with pytest.raises(CommandError, match="--prune-keep"):
            call_command("backup_state", prune_only=True)
        with pytest.raises(CommandError, match="prune-keep"):
            call_command("backup_state", "--prune-keep", "-1")

    @pytest.mark.parametrize("words", [
        ("backup_state", "--name", "a/b"), ("backup_state", "--verify", "none"),
        ("restore_state", "none", "--yes"), ("restore_state", "..", "--yes"),
    ])  # fmt: skip
    def test_what_cannot_be_is_one_sentence(self, site, audio, words):
        with pytest.raises(CommandError) as refusal:
            call_command(*words)
        assert "\n" not in str(refusal.value)


def test_the_exit_code_tells_scripts(tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    words = ["import_state", str(tmp_path / "bad.json"), "--state-dir", str(tmp_path / "s")]
    ended = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "bad.json" in ended.stderr
    assert "\x1b" not in ended.stderr  # no bar where nobody looks at it


def test_on_a_terminal_there_is_a_bar(tmp_path):
    make_directory(tmp_path / "old", damaged=False)
    words = ["--state-dir", str(tmp_path / "old"), "--store", (tmp_path / "new").as_uri()]
    terminal, end = pty.openpty()
    ended = subprocess.run(
        [sys.executable, "manage.py", "migrate_state", *words], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=end, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(end)
    shown = os.read(terminal, 100_000).decode("utf-8", "replace")
    os.close(terminal)
    assert ended.returncode == 0
    assert "━" in shown
    assert b"\x1b" not in ended.stdout
