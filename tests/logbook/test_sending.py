"""Agents' lines on their way to a real web process."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from orchard.agents.log_sending import LogSender
from tests.api.server import ROOT, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A web process that keeps its state to itself."""
    made = Server(tmp_path_factory.mktemp("site"), "memory://")
    made.start()
    yield made
    made.stop()


def lines(server: Server, **query: Any) -> list[dict[str, Any]]:
    answer = server.client.get("/api/v1/logs", params=query)
    assert answer.status_code == 200
    return answer.json()["lines"]


def await_lines(server: Server, count: int, **query: Any) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 20
    while len(found := lines(server, **query)) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def sender_to(server: Server, token: str, worker: str) -> tuple[logging.Logger, LogSender]:
    logger = logging.Logger("orchard.test")
    sender = LogSender(f"http://127.0.0.1:{server.port}", token, worker)
    logger.addHandler(sender)
    return logger, sender


def test_lines_of_all_kinds_arrive_with_the_token_of_a_worker(server: Server):
    token = (server.data / "worker_token").read_text().strip()
    logger, sender = sender_to(server, token, "w-sender")
    for i in range(1200):
        logger.info("chunk %s begins: %d", "0123456789abcdef_chunk_3", i)
    logger.error("会議 %s", "\n\x1b[31m\udc80" * 6000, extra={"issue": 7, "room": {"a": [1, None]}})
    sender.close()
    found = lines(server, worker="w-sender", limit=1000)
    last = found[0]
    assert (last["level"], last["issue"], last["process"]) == ("error", 7, "agent")
    assert last["fields"]["room"] == {"a": [1, None]}
    assert found[1]["job"] == "0123456789abcdef"
    assert found[1]["message"].endswith(": 1199")
    assert lines(server, worker="w-sender", q="begins: 0")


def test_a_master_that_does_not_know_the_token_is_told_about_and_the_program_goes_on(
    server: Server, caplog
):
    logger, sender = sender_to(server, "wrong", "w-stranger")
    logger.info("hello")
    sender.close()
    assert "the master answered 401" in caplog.text
    assert lines(server, worker="w-stranger") == []


@pytest.mark.parametrize(("option", "count"), [("--send-logs", 1), ("--no-send-logs", 0)])
def test_an_agent_sends_its_lines_unless_told_otherwise(server: Server, option: str, count: int):
    name = f"agent{option}"
    token = str(server.data / "worker_token")
    command = [sys.executable, "-m", "orchard.agent", "--name", name, "--token-file", token]
    command += ["--master", f"http://127.0.0.1:{server.port}", "--transcriber", "http"]
    agent = subprocess.Popen(
        [*command, "--url", "http://127.0.0.1:1", option], cwd=ROOT, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 20
        while name not in server.client.get("/api/v1/workers").text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        if count:
            await_lines(server, 1, worker=name, q="registered")
    finally:
        agent.send_signal(signal.SIGTERM)
        said = agent.communicate(timeout=20)[1].decode()
    assert "stopping" in said
    assert len(lines(server, worker=name, q="stopping", process="agent")) == count


def test_the_web_process_writes_its_own_lines(server: Server):
    server.client.get("/api/v1/jobs/nobody-knows-this")
    (line,) = await_lines(server, 1, process="web", q="nobody-knows-this")
    assert line["level"] == "warning"
    assert line["logger"].startswith("django")
