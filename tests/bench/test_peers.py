"""The runner of the peers, with small queues of the test's own; nothing is fetched."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers import environments, figures
from benchmarks.peers.__main__ import main, parser
from benchmarks.peers.catalogue import PEERS, Peer, version
from benchmarks.peers.environments import HERE, python_environment
from benchmarks.peers.family import Family, PeerFault
from tests.bench.test_leaving_nothing import processes_in, wait_for

ROOT = Path(__file__).parents[2]
QUEUE = """
import os, subprocess, sys, time
import one_job, redis

client = redis.Redis.from_url(one_job.URL)
what, number = sys.argv[1:]
if what == "fill":
    client.rpush("waiting", *[one_job.PAYLOAD] * int(number))
while what != "fill":
    if what == "idle":
        time.sleep(60)
    if what == "slow":
        time.sleep(0.04)
    if what == "with offspring" and not os.path.exists(number):
        runaway = subprocess.Popen(["sleep", "300"], start_new_session=True)
        open(number, "w").write(str(runaway.pid))
    _, payload = client.blpop("waiting")
    result = one_job.do(payload)
    if what != "forgetful":
        client.zadd("done", {str(time.monotonic_ns()): 0})
"""
"""A queue in a few lines; its worker is honest, or what its first word says."""


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """The script of a queue, and a folder for what the bench leaves lying."""
    (tmp_path / "tmp").mkdir()
    script = tmp_path / "queue_work.py"
    script.write_text(QUEUE)
    return script


def peer(script: Path, kind: str, argument: str = "-") -> Peer:
    python = (sys.executable, str(script))
    return Peer(
        name=kind, title=kind, home="nowhere", make=lambda *_: Path(sys.prefix),
        fill=(*python, "fill"), work=(*python, kind, argument), done="done",
        settings="none", lease="none", late="none",
    )  # fmt: skip


def not_installed(*_: object) -> Path:
    raise PeerFault("cannot be installed: no such thing")


def measured(capsys, peers: list[Peer], *words: str) -> dict[str, dict]:
    """What the bench told in JSON, by name, and its status."""
    status = main([*words, "--blocks", "2", "--json"], peers)
    rows = {one["name"]: one for one in json.loads(capsys.readouterr().out)["rows"]}
    return rows | {"status": status}


def test_a_peer_is_measured_beside_our_own_rows_and_one_that_is_missing_stops_nobody(capsys, queue):
    missing = Peer(**{**_fields(peer(queue, "missing")), "make": not_installed})
    told = measured(capsys, [missing, peer(queue, "honest")], "--count", "200")
    low, high = told["honest"]["spread"]
    assert 0 < low <= told["honest"]["value"] <= high
    assert (told["missing"]["fault"], told["missing"]["value"]) == (
        "cannot be installed: no such thing", None,
    )  # fmt: skip
    assert told["row 2"]["value"] > 0 < told["row 3"]["value"]
    assert told["status"] == 1


def _fields(one: Peer) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def test_a_block_ends_in_time_and_counts_what_was_done_or_says_that_it_was_nothing(capsys, queue):
    peers = [peer(queue, "slow"), peer(queue, "idle")]
    told = measured(capsys, peers, "--count", "100", "--seconds", "3")
    assert told["slow"]["value"] > 0
    assert told["idle"]["fault"].startswith("did 0 jobs and completed 0; it last said: nothing")


def test_work_that_was_not_completed_does_not_count(capsys, queue):
    told = measured(capsys, [peer(queue, "forgetful")], "--count", "50")
    assert told["forgetful"]["fault"].startswith("did 50 jobs and completed 0")


def test_offspring_that_left_its_group_ends_with_the_block(capsys, queue, tmp_path):
    note = tmp_path / "pid"
    told = measured(capsys, [peer(queue, "with offspring", str(note))], "--count", "50")
    assert told["status"] == 0
    wait_for(lambda: not is_alive(int(note.read_text())))


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_an_interrupted_run_leaves_no_process_no_engine_and_no_folder(queue, tmp_path):
    code = (
        "import sys; from pathlib import Path; from benchmarks.peers.__main__ import main;"
        "from tests.bench.test_peers import peer;"
        f"sys.exit(main(['--count', '50'], [peer(Path({str(queue)!r}), 'idle')]))"
    )
    bench = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, text=True, start_new_session=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_for(lambda: working(queue, "idle"))
        assert processes_in(tmp_path / "tmp")
        bench.send_signal(signal.SIGINT)
        _, said = bench.communicate(timeout=60)
    finally:
        bench.kill()
    assert bench.returncode == 128 + signal.SIGINT, said
    assert said.endswith("interrupted by SIGINT; what was made for it is gone\n")
    left = [*processes_in(tmp_path / "tmp"), *(tmp_path / "tmp").iterdir()]
    assert (left, working(queue, "idle")) == ([], [])


def working(script: Path, kind: str) -> list[str]:
    """Processes that run the script as such a worker."""
    wanted = f"{script}\0{kind}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:  # it has ended meanwhile
            continue
    return found


def test_an_environment_is_made_once_and_what_cannot_be_installed_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "HERE", tmp_path)
    for name, pins in {
        "nothing": "",
        "missing": "missing @ file:///nowhere/missing-1-py3-none-any.whl",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.txt").write_text(pins)
    with Family(tmp_path) as family:
        made = python_environment("nothing", tmp_path / "cache", family)
        (made / "python").rename(made / "kept")
        assert python_environment("nothing", tmp_path / "cache", family) == made
        with pytest.raises(PeerFault, match=r"^cannot be installed: ERROR: .*nowhere"):
            python_environment("missing", tmp_path / "cache", family)
    assert (made / "kept").exists()


def test_every_peer_is_pinned_and_none_is_required_by_the_project():
    required = "".join(path.read_text() for path in ROOT.glob("requirements*.txt"))
    for one in PEERS:
        assert version(one), one.name
        assert not re.search(rf"^{one.home}\b", required, re.MULTILINE), one.name
    for pins in HERE.glob("*/requirements.txt"):
        lines = [line for line in pins.read_text().splitlines() if not line.startswith("#")]
        assert [line for line in lines if "==" not in line] == [], pins


def test_the_page_shows_the_recorded_run_and_the_choices_made_for_each_peer():
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    shown = text.split("<!-- peers -->\n")[1].split("<!-- end of peers -->")[0]
    recorded = figures.read_run(figures.RECORDED)
    assert shown.strip() == figures.page(recorded).strip()
    assert {one.name for one in recorded.rows} == {"row 2", "row 3", *(one.name for one in PEERS)}


@pytest.mark.parametrize("words", [["--count", "1"], ["--seconds", "0"], ["--only", "sidekiq"]])
def test_what_makes_no_sense_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert "error: argument" in capsys.readouterr().err
