"""``make run``: everything starts with one command, and everything stops with it."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.foundation.launcher import Launched, free_port, processes_of, wait_until

Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts installations on the same data, and clears up after them."""
    all_of_them = []

    def start(*options: str, **environ: str) -> Launched:
        port = int(environ.pop("port", "0")) or free_port()
        all_of_them.append(Launched(tmp_path / "var", port, *options, **environ))
        return all_of_them[-1]

    yield start
    for one in all_of_them:
        one.end()


def test_one_command_starts_everything_and_one_signal_stops_it(launch: Launch):
    site = launch()
    site.await_ready()
    assert site.lines[0] == f"Orchard is ready at {site.url}/"
    link = re.fullmatch(rf"Sign in once with ({site.url}/sign-in/[\w-]+)", site.lines[1])
    assert link
    assert [_sign_in(link[1]), _sign_in(link[1])] == [302, 410]
    assert site.get("/readyz").json() == {"status": "ready"}

    def both_agents() -> bool:
        return len(site.get("/api/v1/workers").json()["workers"]) == 2

    wait_until(both_agents)
    assert site.pid_of("manage.py pipeline")
    assert site.pid_of("manage.py ambassador")
    assert {path.name for path in (site.data / "logs").iterdir()} == {
        "web.log", "pipeline.log", "ambassador.log", "dispatch.log", "agent-1.log",
        "agent-2.log",
    }  # fmt: skip
    assert site.stop() == 0
    assert processes_of(site.data) == []
    assert len(site.lines) == 2
    assert site.errors == []


def test_state_files_of_an_older_system_are_taken_over_at_the_first_start(launch: Launch):
    site = launch("--agents", "0")
    site.await_ready()
    assert site.stop() == 0
    state = site.data / "state"
    state.mkdir(exist_ok=True)
    (state / "processed-issues.json").write_text("[98, 267]")
    again = launch("--agents", "0")
    again.await_ready()
    assert again.get("/api/v1/issues/98").json()["status"] == "completed"
    assert not (state / "processed-issues.json").exists()


def test_a_second_start_goes_on_with_the_same_data(launch: Launch):
    site = launch("--agents", "0")
    site.await_ready()
    headers = site.headers
    url = f"{site.url}/api/v1/jobs"
    files = {"file": ("talk.wav", b"RIFF....WAVE")}
    job = httpx.post(url, files=files, headers=headers).json()["job_id"]
    assert site.stop(signal.SIGINT) == 0
    again = launch("--agents", "0")
    again.await_ready()
    assert again.headers == headers
    assert again.get(f"/api/v1/jobs/{job}").json()["job_id"] == job
    assert again.lines[1] != site.lines[1]


def test_what_dies_is_started_again(launch: Launch):
    site = launch("--agents", "0")
    site.await_ready()
    for words in ("manage.py serve", "manage.py pipeline", "manage.py ambassador"):
        before = site.pid_of(words)
        os.kill(before, signal.SIGKILL)
        assert wait_until(lambda w=words, b=before: site.pid_of(w) not in (0, b))
    wait_until(lambda: _is_ready(site))
    assert site.stop() == 0
    assert [line.partition(" ")[0] for line in site.errors] == ["web", "pipeline", "ambassador"]
    assert all("starting it again" in line for line in site.errors)


def test_nothing_is_left_when_the_launcher_is_killed(launch: Launch):
    site = launch("--agents", "1")
    site.await_ready()
    wait_until(lambda: site.pid_of("orchard.agent"))
    site.process.kill()
    site.process.wait()
    assert wait_until(lambda: processes_of(site.data) == [], 40)


def test_a_stop_during_the_start_leaves_nothing(launch: Launch):
    site = launch()
    wait_until(lambda: site.pid_of("manage.py serve"))
    assert site.stop() == 0
    assert processes_of(site.data) == []
    assert site.lines == []


def test_a_port_in_use_is_told_in_one_line(launch: Launch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site = launch(port=str(port))
        assert site.wait() == 1
    (line,) = site.errors
    assert f"port {port} on 127.0.0.1 cannot be used" in line
    assert "PORT=" in line
    assert site.lines == []


def test_the_same_data_is_not_run_twice(launch: Launch):
    site = launch("--agents", "0")
    site.await_ready()
    second = launch("--agents", "0")
    assert second.wait() == 1
    (line,) = second.errors
    assert f"Orchard runs already on {site.data}" in line
    assert site.get("/readyz").status_code == 200


def test_the_memory_store_is_refused_for_many_processes(launch: Launch):
    site = launch(ORCHARD_STORE="memory://")
    assert site.wait() == 1
    (line,) = site.errors
    assert "memory:// is the store of one process" in line


def test_it_runs_behind_https_as_well(launch: Launch):
    site = launch("--agents", "1", ORCHARD_HTTPS="true", ORCHARD_ALLOWED_HOSTS="orchard.example")
    site.await_ready()
    assert site.get("/login").status_code == 301
    proxied = {"Host": "orchard.example", "X-Forwarded-Proto": "https"}
    page = httpx.get(f"{site.url}/login", headers=proxied)
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Secure" in page.headers["Set-Cookie"]
    wait_until(lambda: site.get("/api/v1/workers").json()["workers"])


def _sign_in(link: str) -> int:
    """Open a link and press its button, as a browser would; the answer's status."""
    with httpx.Client() as browser:
        page = browser.get(link)
        if page.status_code != 200:
            return page.status_code
        form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        return browser.post(link, data=form).status_code


def _is_ready(site: Launched) -> bool:
    try:
        return site.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False
