"""The command line against a real server, as scripts use it: piped, in JSON, and refused."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from orchard_client import Client
from orchard_client.cli.output import clean
from tests.client.conftest import Site
from tests.client.shell import PROGRAM, as_json, done, environ, run, spawn


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A file to hand in."""
    path = tmp_path / "talk, part 1.wav"
    path.write_bytes(b"x" * 1000)
    return path


def test_a_job_is_handed_in_listed_shown_cancelled_and_deleted(site: Site, recording: Path):
    job_id = done(site.environ, "submit", str(recording), "--language", "en").strip()
    first = done(site.environ, "jobs", "list", "-n", "1").rstrip("\n").split("\t")
    assert (first[0], first[1], first[-1]) == (job_id, "created", "talk, part 1.wav")
    assert as_json(site.environ, "jobs", "show", job_id)["job_id"] == job_id
    assert f"job_id\t{job_id}\n" in done(site.environ, "jobs", "show", job_id)
    assert "\tcancelled\t" in done(site.environ, "jobs", "cancel", job_id)
    assert as_json(site.environ, "jobs", "--json")[0]["status"] == "cancelled"
    done(site.environ, "jobs", "delete", job_id)
    assert run(site.environ, "jobs", "show", job_id).returncode == 3


def test_a_recording_can_come_from_a_pipe(site: Site):
    ended = spawn(site.environ, "submit", "-", "--name", "p.wav", "--json", stdin="xxx")
    assert (ended.returncode, json.loads(ended.stdout)["filename"]) == (0, "p.wav")
    refused = spawn(site.environ, "jobs", "show", "0" * 16)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.splitlines() == [refused.stderr.strip()]


FAULTS = [
    (["jobs", "show", "0" * 16], 3, "unknown_job"),
    (["jobs", "retry", "{job}"], 5, "transition_refused"),
    (["jobs", "wait", "{job}", "--timeout", "0"], 8, "is still created"),
    (["--token-file", "{bad}", "workers"], 6, "set ORCHARD_TOKEN"),
    (["--url", "http://127.0.0.1:9", "--patience", "0", "workers"], 7, "does not answer"),
    (["--url", "ftp://x", "workers"], 2, "is no address"),
    (["--token-file", "/nonexistent", "workers"], 2, "cannot be read"),
    (["state", "set", "n", "k", "{"], 2, "that is no JSON"),
    (["submit", "/nonexistent.wav"], 2, "does not exist"),
    (["submit", "{bad}", "--wait", "-o", "/nonexistent/x.srt"], 2, "there is no folder"),
    (["submit", "{bad}", "--wait", "--format", "doc"], 2, "'doc' is not one of"),
    (["logs", "--since", "yesterday"], 2, "is no time"),
    (["nonsense"], 2, "No such command"),
]


@pytest.mark.parametrize(("words", "code", "reason"), FAULTS, ids=[str(one[0]) for one in FAULTS])
def test_what_goes_wrong_is_said_in_a_line_and_a_code(
    site: Site, created: str, recording: Path, words: list[str], code: int, reason: str
):
    filled = [word.format(job=created, bad=recording) if "}" in word else word for word in words]
    ended = run(site.environ, *filled)
    assert (ended.returncode, ended.stdout) == (code, "")
    said = ended.stderr.strip().splitlines()
    assert reason in said[-1]
    assert "Traceback" not in ended.stderr
    assert len(said) == 1 or said[0].startswith("Usage: ")


@pytest.fixture(scope="module")
def created(site: Site) -> str:
    """A job that waits for ever."""
    with site.client() as client:
        return client.jobs.submit(io.BytesIO(b"x"), name="w.wav").job_id


def test_people_see_a_table_and_programs_tabs(site: Site, orchard: Client):
    orchard.workers.register(name="attic")
    tabs = done(site.environ, "workers")
    assert any(line.startswith("attic\tonline\t0\t20") for line in tabs.splitlines())
    shown = on_terminal(site, "workers")
    assert shown.splitlines()[0].split()[:2] == ["worker", "status"]
    assert "\t" not in shown
    orchard.workers.remove("attic")


def test_nothing_that_is_shown_gives_orders_to_a_terminal(site: Site, orchard: Client):
    orchard.logs.send([{"message": "before \x9b2J [red]after", "worker": "w-hostile"}])
    shown = on_terminal(site, "logs", "--worker", "w-hostile")
    assert "\x9b" not in shown
    assert "[red]after" in shown
    assert clean("a\x1b[31m\u202eb\nc") == "a [31m b c"


def on_terminal(site: Site, *words: str) -> str:
    """What a command shows on a terminal."""
    ours, theirs = pty.openpty()
    env = environ(**site.environ, COLUMNS="120")
    with subprocess.Popen([*PROGRAM, *words], env=env, stdout=theirs, stdin=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                block = os.read(ours, 4096)
            except OSError:
                break
            shown += block
        assert process.wait(60) == 0
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def test_an_issue_is_checked_out_kept_and_checked_in(site: Site):
    token = done(site.environ, "issues", "checkout", "801", "-p", "me", "--task", "review").strip()
    refused = run(site.environ, "issues", "checkout", "801", "-p", "you")
    assert (refused.returncode, "(held)" in refused.stderr) == (5, True)
    assert done(site.environ, "issues", "heartbeat", "801", "--token", token).startswith("20")
    words = ("checkin", "801", "--token", token, "--result", '{"ok": true}')
    assert done(site.environ, "issues", *words).startswith("801\tcompleted\t")
    assert as_json(site.environ, "issues", "show", "801")["result"] == {"ok": True}
    assert run(site.environ, "issues", "heartbeat", "801", "-p", "me").returncode == 5


def test_a_command_is_run_while_its_issue_is_held(site: Site):
    script = 'echo "$ORCHARD_ISSUE:${ORCHARD_ISSUE_TOKEN:+token}"; exit 7'
    ended = spawn(site.environ, "issues", "run", "802", "-p", "me", "--", "sh", "-c", script)
    assert (ended.returncode, ended.stdout) == (7, "802:token\n")
    issue = as_json(site.environ, "issues", "show", "802")
    assert (issue["status"], issue["result"]) == ("error", {"exit_code": 7})


def test_values_are_set_got_and_listed(site: Site):
    tag = as_json(site.environ, "state", "set", "cli", "a", '{"題": [1]}')["tag"]
    assert json.loads(done(site.environ, "state", "get", "cli", "a")) == {"題": [1]}
    done(site.environ, "state", "set", "cli", "b", "--text", "-", stdin="plain\n")
    assert done(site.environ, "state", "list", "cli").splitlines()[0].split("\t")[0] == "a"
    done(site.environ, "state", "set", "cli", "a", "2", "--if-tag", tag)
    assert run(site.environ, "state", "delete", "cli", "a", "--if-tag", tag).returncode == 5
    assert run(site.environ, "state", "set", "cli", "a", "3", "--if-absent").returncode == 5
    assert as_json(site.environ, "state", "list", "cli")["values"] == {"a": 2, "b": "plain\n"}


FEEDS = [
    (["logs", "-f", "-n", "0", "--worker", "w-cli"], "message"),
    (["events", "-f", "--name", "state"], "namespace"),
    (["state", "watch", "cli-feed", "--json"], "key"),
]


@pytest.mark.parametrize(("words", "field"), FEEDS, ids=["logs", "events", "watch"])
def test_a_feed_tells_what_happens_a_line_each_until_it_is_stopped(
    site: Site, orchard: Client, words: list[str], field: str
):
    words = words if "--json" in words else [*words, "--json"]
    # Whoever runs in the background of a shell was told to ignore Ctrl-C, and so are its children.
    as_told = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program = [PROGRAM[0], "-c", as_told + PROGRAM[-1], *words]
    with subprocess.Popen(program, env=environ(**site.environ), stdout=-1) as process:
        stop = threading.Event()

        def make_news() -> None:
            while not stop.wait(0.2):
                orchard.logs.send([{"message": "heard", "worker": "w-cli"}])
                orchard.state.set("cli-feed", "k", 1)

        news = threading.Thread(target=make_news)
        news.start()
        assert process.stdout
        line = json.loads(process.stdout.readline())
        stop.set()
        news.join()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert field in line


def test_who_one_is_and_whether_the_server_is_well(site: Site):
    me = as_json(site.environ, "whoami")
    assert (me["url"], me["url_from"], me["token_from"]) == (
        site.url, "ORCHARD_URL", "ORCHARD_TOKEN",
    )  # fmt: skip
    assert "admin" in me["scopes"]
    assert as_json(site.environ, "health")["status"] == "ready"


def test_a_shell_is_told_what_can_follow():
    asked = {
        "_ORCHARD_COMPLETE": "complete_bash",
        "COMP_WORDS": "orchard jobs c",
        "COMP_CWORD": "2",
    }
    program = (
        PROGRAM[-1]
        .replace("main()", "app(prog_name='orchard')")
        .replace("orchard_client.cli import main", "orchard_client.cli.app import app")
    )
    ended = subprocess.run(
        [PROGRAM[0], "-c", program],
        env=environ(**asked),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout.split() == ["cancel"]
