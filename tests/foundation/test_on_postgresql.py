"""The whole site on PostgreSQL: a real web process, and the tests of what is in the database."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.api.server import ROOT, Server
from tests.postgres import PostgresServer

IN_THE_DATABASE = (
    "tests/foundation/test_signing_in.py",
    "tests/api/test_state_audit.py",
)  # fmt: skip


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of this module's own."""
    with postgres_server.database() as made:
        yield made


@pytest.fixture(scope="module")
def server(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A web process whose database is PostgreSQL."""
    made = Server(tmp_path_factory.mktemp("site"), "memory://", DATABASE_URL=url)
    made.start()
    yield made
    made.stop()


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT tablename FROM pg_tables")}


def manage(server: Server, *words: str) -> str:
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=server.env, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_everything_is_in_postgresql_and_nothing_in_files(server: Server, url: str):
    server.client.post("/api/v1/logs", json={"lines": [{"message": "a"}]}).raise_for_status()
    assert {"orchard_token", "orchard_auditentry", "django_session", "orchard_log_books",
            "orchard_log_lines_1"} <= tables(url)  # fmt: skip
    assert list(server.data.glob("*.sqlite3*")) == []


def test_preparing_again_changes_nothing(server: Server):
    token = (server.data / "token").read_text()
    assert "Prepared" in manage(server, "prepare")
    assert (server.data / "token").read_text() == token
    assert manage(server, "makemigrations", "--check", "--dry-run").startswith("No changes")


def test_a_link_signs_in_once_and_the_session_stays(server: Server):
    link = manage(server, "sign_in_link").split()[-1]
    path = link[link.index("/sign-in/") :]
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as browser:
        asked = browser.get(path)
        assert asked.status_code in (200, 302)
        token = browser.cookies.get("csrftoken")
        if asked.status_code == 200:
            answer = browser.post(path, data={"csrfmiddlewaretoken": token})
            assert answer.status_code == 302
        assert browser.get("/admin/orchard/auditentry/").status_code == 200


def test_log_lines_are_found_exported_and_kept_by_many_at_once(server: Server):
    def send(name: str) -> None:
        for batch in range(5):
            lines = [{"message": f"{name}-{batch}-{i} 録音", "worker": name} for i in range(20)]
            answer = httpx.post(
                f"http://127.0.0.1:{server.port}/api/v1/logs", json={"lines": lines},
                headers=server.headers, timeout=30,
            )  # fmt: skip
            answers.append(answer.status_code)

    answers: list[int] = []
    threads = [threading.Thread(target=send, args=(f"many{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 20
    found = server.client.get("/api/v1/logs", params={"q": "録音", "worker": "many2"}).json()
    assert len(found["lines"]) == 100
    asked = {"q": "録音 many", "format": "ndjson"}
    exported = server.client.get("/api/v1/logs", params=asked).text.splitlines()
    assert len(exported) == len(set(exported)) == 400


def test_a_token_used_by_many_at_once_is_noted(server: Server, url: str):
    token = (server.data / "worker_token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    address = f"http://127.0.0.1:{server.port}/api/v1/logs"
    statuses: list[int] = []

    def use() -> None:
        lines = {"lines": [{"message": "here I am"}]}
        answer = httpx.post(address, json=lines, headers=headers, timeout=30)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 8
    with psycopg.connect(url) as connection:
        asked = "SELECT last_used_at FROM orchard_token WHERE name = 'local agents'"
        (used,) = connection.execute(asked).fetchone() or (None,)
    assert used is not None


def test_what_is_true_of_the_database_holds_on_postgresql(
    postgres_server: PostgresServer, tmp_path: Path
):
    # An inner run, as Django's connection is chosen once for a whole process.
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--ds=tests.settings"]
    command += ["-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, f"--basetemp={tmp_path / 'inner'}", *IN_THE_DATABASE], cwd=ROOT,
        env=os.environ | {"TEST_DATABASE_URL": postgres_server.url()},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
