"""Schedules from the command line and the library, against a real server."""

from __future__ import annotations

from pathlib import Path

from orchard_client import Client
from tests.client.conftest import Site, sound
from tests.client.shell import as_json, done, run


def test_a_schedule_is_added_listed_rested_run_and_removed(site: Site, tmp_path: Path):
    lines = tmp_path / "lines.txt"
    lines.write_text("one\ntwo\n")
    asked = ["--cron", "30 6 * * MON-FRI", "--zone", "Asia/Tokyo", "--type", "text"]
    (made,) = as_json(site.environ, "schedules", "add", str(lines), *asked, "--json")
    name = made["schedule_id"]
    assert (made["name"], made["time_zone"], made["type"]) == ("lines.txt", "Asia/Tokyo", "text")
    lines_of = done(site.environ, "schedules").splitlines()
    (shown,) = (line.split("\t") for line in lines_of if line.startswith(name))
    assert (shown[0], shown[1], shown[-1]) == (name, "30 6 * * MON-FRI", "lines.txt")
    assert "\tdisabled\t" in done(site.environ, "schedules", "disable", name)
    job_id = done(site.environ, "schedules", "run", name).strip()
    (enabled,) = as_json(site.environ, "schedules", "enable", name, "--json")
    assert (enabled["last_job_id"], enabled["enabled"]) == (job_id, True)
    assert enabled["next_at"]
    done(site.environ, "schedules", "remove", name)
    assert run(site.environ, "schedules", "run", name).returncode == 3
    done(site.environ, "jobs", "delete", job_id)


def test_the_library_makes_and_changes_schedules(orchard: Client):
    made = orchard.schedules.create(
        sound(), "nightly", "0 3 * * *", filename="a.wav", hot_words=["Dashwood"], priority="low"
    )
    assert (made.filename, made.hot_words, made.priority) == ("a.wav", ["Dashwood"], 2)
    changed = orchard.schedules.update(made.schedule_id, cron="0 4 * * *", requires=["gpu"])
    assert (changed.cron, changed.requires, changed.enabled) == ("0 4 * * *", ["gpu"], True)
    assert orchard.schedules.get(made.schedule_id) == changed
    orchard.schedules.delete(made.schedule_id)
    left = [one.schedule_id for one in orchard.schedules.list().schedules]
    assert made.schedule_id not in left
