"""``manage.py demo`` and ``manage.py orphans``, as somebody types them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from orchard.services import engine
from statecore.domain.issues import Holder
from statecore.services import checkouts, issue_lists, labels, run
from statecore.store import open_store


@pytest.fixture(params=["memory", "redis", "embedded", "file"])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    """The URL of an empty store."""
    if request.param == "redis":
        server = request.getfixturevalue("engine_server")
        server.client.flushdb()
        return server.url
    return f"file://{tmp_path / 'state'}" if request.param == "file" else f"{request.param}://"


def test_the_demo_walks_through_and_leaves_nothing_behind(url, capsys):
    call_command("demo", store=url, no_color=True)
    told = capsys.readouterr().out
    assert "Issue #987654321 is already being processed by process-1" in told
    assert '{"moved":{"value":"data"}}' in told
    assert '"result":{"result":"success"}' in told
    if url.startswith(("redis", "file")):
        store = open_store(url)
        assert store.run(issue_lists.all_issues()) == {}
        assert set(store.run(labels.count_by_status()).values()) == {0}
        store.close()


@pytest.mark.parametrize("wrong", ["nothing://", "redis://127.0.0.1:1/0", "x"])
def test_a_store_that_cannot_be_opened_is_said_to_be_so(wrong):
    with pytest.raises(CommandError):
        call_command("demo", store=wrong)


@pytest.fixture
def site(memory_store):
    """The site runs on a memory store."""
    before = engine.use(memory_store)
    yield
    engine.use(before)


def test_orphans_are_shown_and_repaired(site, capsys):
    call_command("orphans")
    assert capsys.readouterr().out == "No orphans.\n"
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()

    holder = Holder(process_id="dead-agent", pid=ended.pid, host=socket.gethostname())
    run(checkouts.check_out(34, holder))
    call_command("orphans")
    told = capsys.readouterr().out
    assert "34" in told
    assert "process_gone" in told
    call_command("orphans", repair=True, json=True)
    answer = json.loads(capsys.readouterr().out)
    assert [one["issue"] for one in answer["orphans"]] == [34]
    assert run(checkouts.get(34)).status == "error"
    call_command("orphans", json=True)
    assert json.loads(capsys.readouterr().out)["orphans"] == []
