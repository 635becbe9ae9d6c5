"""A run of Schemathesis over the API document of a real site, by its command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.api.server import ROOT, Server

CONFIG = Path(__file__).with_name("schemathesis.toml")
HALF = 0.6
"""How often a name is asked for that the site knows."""


class Examination:
    """What a run has found."""

    def __init__(self, done: subprocess.CompletedProcess[str], report: dict[str, Any]) -> None:
        self.is_good = done.returncode == 0
        # Requests are printed whole, with files of many zeros: the beginning of a line is enough.
        lines = [line[:500] for line in done.stdout.splitlines()]
        self.words = "\n".join(lines)[-20_000:]
        self.tested: int = report["operations"]["tested"]
        self.left_out: int = report["filtered"] + report["operations"]["skipped"]
        self.cases: int = report["test_cases"]["generated"]


def examine(server: Server, known: dict[str, list[Any]], where: Path, examples: int) -> Examination:
    """Let Schemathesis ask everything that the document of a site allows, and what it does not."""
    document, config = where / "openapi.json", where / "schemathesis.toml"
    document.write_text(server.client.get("/api/v1/schema?format=json").text)
    config.write_text(CONFIG.read_text() + _named(known))
    token = server.headers["Authorization"]
    command = [
        Path(sys.executable).with_name("st"), "--config-file", config, "run", document,
        "--url", str(server.client.base_url), "--header", f"Authorization: {token}",
        "--max-examples", str(examples), "--continue-on-failure", "--no-color",
        "--report", "json", "--report-json-path", where / "report.json",
    ]  # fmt: skip
    env = os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)}
    # It leaves files of its own where it stands.
    done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True)
    report = where / "report.json"
    assert report.exists(), done.stdout + done.stderr
    return Examination(done, json.loads(report.read_text()))


def _named(known: dict[str, list[Any]]) -> str:
    """The names that a site knows, as Schemathesis is told of them."""
    words = []
    for place, values in known.items():
        listed = json.dumps(values, ensure_ascii=False)
        words.append(f"\n[dictionaries.{place.replace('.', '_')}]\nvalues = {listed}")
    words += ["\n[parameters]"]
    words += [
        f'"{place}" = {{ dictionary = "{place.replace(".", "_")}", probability = {HALF} }}'
        for place in known
    ]
    return "\n".join(words) + "\n"
