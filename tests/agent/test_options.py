"""An agent's options, its name, its token and its rests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from orchard.agent import default_name, make_parser
from orchard.agents.backoff import LONGEST_S, Backoff
from orchard.domain.workers import check_name

ROOT = Path(__file__).parents[2]


def run(*arguments, **environ):
    env = {name: value for name, value in os.environ.items() if not name.startswith("ORCHARD_")}
    return subprocess.run(
        [sys.executable, "-m", "orchard.agent", *arguments], cwd=ROOT, env=env | environ,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_rests_grow_to_a_limit_and_begin_anew():
    backoff = Backoff()
    rests = [backoff.next_s() for _ in range(12)]
    assert rests[0] <= 0.5
    assert LONGEST_S / 2 <= rests[-1] <= LONGEST_S
    assert backoff.next_s(10.0) >= 10.0
    backoff.reset()
    assert backoff.next_s() <= 0.5


def test_a_default_name_is_one_that_a_master_accepts():
    assert check_name(default_name(2)).endswith("-2")
    assert default_name(1) != default_name(2)


def test_the_token_cannot_be_given_on_the_command_line():
    assert not [one for one in make_parser()._actions if "--token" in one.option_strings]


def test_without_a_token_an_agent_says_so_in_one_line():
    done = run("--transcriber", "pocketsphinx")
    assert done.returncode == 1
    assert "no token: give --token-file, or set ORCHARD_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_agent_imports_neither_django_nor_redis():
    code = "import sys, orchard.agent; print([m for m in ('django', 'redis') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
