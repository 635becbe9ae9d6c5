"""A tutorial as a list of blocks, and a terminal in which they are tried."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.foundation.launcher import processes_of, wait_until

ROOT = Path(__file__).parents[2]
PORT = "127.0.0.1:8000"
"""What the pages call the site."""
PATIENCE_S = 400
"""How long a block may take on a machine that does other things as well."""
OUTSIDE = {".git", ".venv", "var"}
_BLOCK = re.compile(
    r'(?:<!-- test: (?P<mark>\w+) -->\n)?^```(?P<language>\w+)(?: title="(?P<file>[^"]+)")?\n'
    r"(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Something in a fence: commands, a file to be written, or what a command prints."""

    language: str
    text: str
    file: str = ""
    """Where a file goes."""
    mark: str = ""
    """What the test does instead of running it and waiting for its end."""


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    found = [match.groupdict("") for match in _BLOCK.finditer(page.read_text("utf-8"))]
    return [Block(**parts) for parts in found]


def pattern(shown: str) -> re.Pattern[str]:
    """What a page shows of some output, as a pattern; an ellipsis is anything on its line.

    On a line of its own it is any number of lines.
    """
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line.rstrip()).replace("…", ".*?") + r"\s*?\n"
        for line in shown.strip().splitlines()
    ]
    return re.compile("".join(lines))


def checkout(folder: Path) -> None:
    """What a clone of the repository would be: the files of this one, with data of its own.

    What ``make`` installs is there, too, and counts as installed just now.
    """
    environment = folder / ".venv"
    environment.mkdir(parents=True)
    for path in ROOT.iterdir():
        if path.name not in OUTSIDE and not path.name.endswith("cache"):
            (folder / path.name).symlink_to(path)
    for path in (ROOT / ".venv").iterdir():
        if path.name not in {".made", ".run", ".test"}:
            (environment / path.name).symlink_to(path)
    for stamp in (".made", ".run"):
        (environment / stamp).touch()


class Terminal:
    """A shell of somebody who follows a page, and the programs that they leave running."""

    def __init__(self, folder: Path, port: int, packages: str, **environ: str) -> None:
        self.folder, self.port = folder, port
        self.data = folder / "var"
        self.home = folder.parent / "home"
        self.home.mkdir()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ORCHARD_", "DJANGO_"))}
        self.environ = kept | environ | {
            "HOME": str(self.home), "PORT": str(port), "ORCHARD_DATA": str(self.data),
            "MAKEFLAGS": "",
            # Packages come from the environment of the tests instead of the network.
            "PYTHONPATH": packages, "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0",
        }  # fmt: skip
        self.left: list[subprocess.Popen[Any]] = []
        self._said = ""

    def follow(self, blocks: list[Block]) -> None:
        """Do all that a page says, and compare what it shows."""
        done: list[Block] = []
        for block in blocks:
            if block.language == "text":
                self._compare(done[-1], block.text)
            elif block.file:
                (self.folder / block.file).write_text(self._here(block.text), "utf-8")
            elif block.mark == "checkout":
                assert block.text.startswith("git clone "), block.text
                checkout(self.folder)
            elif block.mark == "background":
                self._leave_running(block.text)
            else:
                self._run(block.text)
            done.append(block)

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self.left:
            self._signal(process, signal.SIGTERM)
        for process in self.left:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                self._signal(process, signal.SIGKILL)
                process.wait()
        for pid in processes_of(self.data):
            os.kill(pid, signal.SIGKILL)

    def _compare(self, block: Block, shown: str) -> None:
        wanted = pattern(self._here(shown))
        if block.mark == "background":
            wait_until(
                lambda: self._has_ended() or wanted.search(self._log.read_text()), PATIENCE_S
            )
            assert wanted.search(self._log.read_text()), self._log.read_text()
        else:
            assert wanted.fullmatch(self._said), f"{block.text}\nprinted\n{self._said}"

    def _has_ended(self) -> bool:
        return self.left[-1].poll() is not None

    def _leave_running(self, command: str) -> None:
        self._log = self.folder.parent / f"terminal-{len(self.left)}.log"
        with self._log.open("w") as log:
            self.left.append(
                subprocess.Popen(
                    ["bash", "-c", self._here(command)], cwd=self.folder, env=self.environ,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )
            )  # fmt: skip

    def _run(self, commands: str) -> None:
        """Run commands; a later block knows the variables of an earlier one, as in one shell."""
        kept = self.home / "variables"
        script = (
            f"set -e; test ! -e {kept} || . {kept} 2>/dev/null || true\n{self._here(commands)}\n"
            f"declare -p > {kept}\n"
        )
        said, errors = self.home / "said", self.home / "errors"
        with said.open("w") as out, errors.open("w") as err:  # no pipe: what is left would hold it
            process = subprocess.Popen(
                ["bash", "-c", script], cwd=self.folder, env=self.environ,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
            try:
                process.wait(PATIENCE_S)
            finally:
                self._signal(process, signal.SIGKILL)
                process.wait()
        self._said = said.read_text("utf-8").rstrip() + "\n"
        why = f"{commands}\nended with {process.returncode}: {self._said}{errors.read_text()}"
        assert process.returncode == 0, why

    def _here(self, text: str) -> str:
        return text.replace(PORT, f"127.0.0.1:{self.port}")

    @staticmethod
    def _signal(process: subprocess.Popen[Any], number: int) -> None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
