"""What a fallback has saved comes into the engine; nothing of the engine is lost by it."""

from __future__ import annotations

import pytest
from django.test import Client

from orchard.conf import Conf
from orchard.doctor.examining import examine
from orchard.domain.lifecycle import JobStatus
from orchard.fallback import starting
from orchard.fallback.merging import merge
from orchard.fallback.saving import save
from orchard.ports import kept_back, recordings
from orchard.services import cleanup, engine, run, submissions
from statecore.services import namespaced
from statecore.store.memory import MemoryStore
from tests.doctor import worlds


@pytest.fixture
def site(settings, tmp_path, redis_store, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(kept_back, "folder", lambda: tmp_path / "fallback")
    before = engine.use(redis_store)
    yield redis_store
    engine.use(before)


@pytest.fixture
def left(site):
    """A fallback with a world in it, saved."""
    memory = MemoryStore()
    engine.use(memory)
    world = worlds.make()
    folder = kept_back.folder() / "20260101T000000"
    save(memory, folder)
    engine.use(site)
    return world, folder


def test_jobs_and_state_come_into_the_engine(site, left):
    world, folder = left
    report = merge(site, folder, dry_run=False)
    assert report.conflicts == report.lost_jobs == []
    assert set(report.begun_again) == {world.created, world.processing}
    assert run(submissions.get_record(world.completed)).status is JobStatus.COMPLETED
    assert run(submissions.get_record(world.pinned)).pinned
    begun = run(submissions.get_record(world.processing))
    assert (begun.status, begun.total_chunks) == (JobStatus.CREATED, 0)
    assert run(namespaced.require("notes", "a")).raw == b'{"b":1}'
    assert kept_back.waiting() == []
    assert examine(site, pause_s=0).faults == 0


def test_a_preview_changes_nothing(site, left):
    _, folder = left
    assert merge(site, folder, dry_run=True).jobs
    assert site.scan_index("index:jobs", 1) == []
    assert kept_back.waiting() == [folder]


@pytest.mark.parametrize(("overwrite", "kept"), [(False, b'"engine"'), (True, b'{"b":1}')])
def test_of_a_conflict_the_value_that_was_chosen_stays(site, left, overwrite, kept):
    _, folder = left
    run(namespaced.put("notes", "a", "engine"))
    assert merge(site, folder, dry_run=True).conflicts == ["notes/a"]
    merge(site, folder, dry_run=False, overwrite=overwrite)
    assert run(namespaced.require("notes", "a")).raw == kept


def test_a_merge_can_be_done_again_after_it_was_killed(site, left):
    _, folder = left
    merge(site, folder, dry_run=False)
    (folder / f"merged-{kept_back.JOBS}").rename(folder / kept_back.JOBS)
    again = merge(site, folder, dry_run=False)
    assert again.jobs == again.new == []
    assert len(again.known_jobs) == 6


def test_an_unfinished_job_without_its_recording_is_told_as_lost(site, left):
    world, folder = left
    recordings.delete(world.created)
    report = merge(site, folder, dry_run=False)
    assert report.lost_jobs == [world.created]


def test_recordings_of_a_fallback_are_not_cleared_away_before_it_is_merged(site, left):
    world, _ = left
    assert run(cleanup.delete_orphaned_files(older_than_s=-1)) == []
    assert recordings.has_any(world.created)


@pytest.mark.django_db
def test_every_page_and_readyz_say_it(site, monkeypatch, tmp_path, django_user_model):
    from datetime import UTC, datetime

    here = starting.Standing(datetime.now(UTC), "refused", tmp_path)
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("ann", password="x"))
    assert "merge_fallback" not in client.get("/").content.decode()
    monkeypatch.setattr(starting, "_standing", here)
    assert "merge_fallback" in client.get("/").content.decode()
    assert client.get("/readyz").json()["fallback"] is True


@pytest.mark.parametrize(
    ("store", "fallback", "alone", "allowed"),
    [
        ("redis://127.0.0.1:6379/0", "auto", True, True),
        ("redis://localhost/0", "auto", True, True),
        ("unix:///run/valkey.sock", "auto", True, True),
        ("redis://127.0.0.1:6379/0", "auto", False, False),
        ("redis://db.example:6379/0", "auto", True, False),
        ("redis://db.example:6379/0", "on", False, True),
        ("redis://127.0.0.1:6379/0", "off", True, False),
    ],
)
def test_who_may_fall_back(store, fallback, alone, allowed):
    conf = Conf(store=store, fallback=fallback)
    assert starting.is_allowed(conf, 3 if alone else None) is allowed
