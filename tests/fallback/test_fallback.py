"""A web server without its Redis: what it says, what it saves, and how that comes back."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys

import httpx
import pytest

from tests.conftest import EngineServer
from tests.faults.orchard_processes import Orchard, wait_for


@pytest.fixture
def own_orchard(tmp_path):
    """An orchard whose Redis is not there; its data is prepared."""

    server = EngineServer(tmp_path / "engine")
    server.directory.mkdir()
    orchard = Orchard(tmp_path / "data", ORCHARD_STORE=server.url)
    manage = [sys.executable, "manage.py", "prepare"]
    subprocess.run(manage, env=orchard.env, check=True, capture_output=True)
    token = (orchard.data / "token").read_text().strip()
    orchard.http = httpx.Client(
        base_url=f"http://127.0.0.1:{orchard.port}",
        headers={"Authorization": f"Bearer {token}"}, timeout=60,
    )  # fmt: skip
    yield orchard, server
    orchard.http.close()
    server.client.close()
    for process in orchard.processes.values():
        process.terminate()
        process.wait(30)


def manage(orchard, *arguments):

    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, env=orchard.env, check=True, capture_output=True, text=True)


def stop(orchard, name):
    process = orchard.processes.pop(name)
    process.terminate()
    assert process.wait(60) is not None


def log_of(orchard):
    return orchard.log("web").read_text("utf-8", "replace")


def test_a_start_without_redis_and_the_way_back(own_orchard):
    orchard, server = own_orchard
    orchard.start_web()
    told = orchard.http.get("/readyz").json()
    assert told["fallback"] is True
    assert told["store"] == "memory"
    put = orchard.http.put("/api/v1/state/notes/a", json={"value": 1})
    assert put.status_code in (200, 201), put.text
    orchard.http.put("/api/v1/state/notes/b", json={"value": "fallback"})
    stop(orchard, "web")

    lines = log_of(orchard)
    assert re.search(r"\[Redis\] Connection failed: .+", lines)
    assert "[Redis] Fallback to in-memory mode" in lines

    server.start()
    try:
        orchard.start_web()
        assert "fallback" not in orchard.http.get("/readyz").json()
        orchard.http.put("/api/v1/state/notes/b", json={"value": "engine"})
        (shown,) = json.loads(manage(orchard, "merge_fallback", "--json").stdout)
        assert shown["new"] == ["notes/a"]
        assert shown["conflicts"] == ["notes/b"]
        assert orchard.http.get("/api/v1/state/notes/a").status_code == 404
        manage(orchard, "merge_fallback", "--yes")
        assert orchard.http.get("/api/v1/state/notes/a").json()["value"] == 1
        assert orchard.http.get("/api/v1/state/notes/b").json()["value"] == "engine"
        assert json.loads(manage(orchard, "merge_fallback", "--json").stdout) == []

        server.kill()  # at run time nobody falls back: what cannot be kept is refused
        answer = wait_for("a refusal", lambda: _refusal(orchard))
        assert answer.headers["Retry-After"]
        assert orchard.http.put("/api/v1/state/notes/c", json={"value": 1}).status_code == 503
        server.start()
        wait_for("the engine", lambda: orchard.http.get("/readyz").status_code == 200)
        assert orchard.http.get("/api/v1/state/notes/a").json()["value"] == 1
    finally:
        stop(orchard, "web")
        server.stop()


def _refusal(orchard):
    answer = orchard.http.get("/readyz")
    return answer if answer.status_code == 503 else None


def test_a_fallback_that_is_not_allowed_is_not_taken(own_orchard):
    orchard, _ = own_orchard
    orchard.env["ORCHARD_FALLBACK"] = "off"
    orchard.launch("web", "manage.py", "serve")

    def answers():
        with socket.socket() as link:
            return link.connect_ex(("127.0.0.1", orchard.port)) == 0

    wait_for("the web server", answers)
    assert orchard.http.get("/readyz").status_code == 503
    assert orchard.http.get("/api/v1/jobs").status_code == 503
    assert "in-memory mode" not in log_of(orchard)
