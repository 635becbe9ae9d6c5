"""The command line as a shell runs it, and, because that is quicker, within the tests' process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple
from unittest import mock

from orchard_client.cli import main

PROGRAM = [sys.executable, "-c", "from orchard_client.cli import main; main()"]
OWN = ("ORCHARD_", "PORT", "XDG_CONFIG_HOME")


class Ended(NamedTuple):
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def environ(**ours: str) -> dict[str, str]:
    """An environment that says nothing of any server but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return kept | {"ORCHARD_CLIENT_CONFIG": "/nonexistent/client.toml", "TERM": "dumb"} | ours


def spawn(env: Mapping[str, str], *words: str, stdin: str | None = None) -> Ended:
    """One command, to its end, in a process of its own."""
    ended = subprocess.run(
        [*PROGRAM, *words], env=environ(**env), input=stdin, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def run(env: Mapping[str, str], *words: str, stdin: str = "") -> Ended:
    """One command, to its end."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    with (
        mock.patch.dict(os.environ, environ(**env), clear=True),
        mock.patch.object(sys, "argv", ["orchard", *words]),
        mock.patch.object(sys, "stdin", given),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    return Ended(code, out.getvalue(), err.getvalue())


def done(env: Mapping[str, str], *words: str, stdin: str = "") -> str:
    """What a command prints that succeeds."""
    ended = run(env, *words, stdin=stdin)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def as_json(env: Mapping[str, str], *words: str) -> Any:
    """What a command prints with ``--json``."""
    return json.loads(done(env, *words, "--json"))
