"""The tutorials do what they say: every command and file of a page is tried, in order."""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.tutorials import ROOT, Block, Terminal, blocks_of, pattern
from tests.foundation.launcher import free_port

TUTORIALS = ROOT / "docs" / "tutorials"
NAMES = ("fleet", "issue-agents")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """One that knows the packages of the tests; one agent, and a short silence make it quicker."""
    one = Terminal(
        tmp_path / "orchard", free_port(), sysconfig.get_path("purelib"),
        ORCHARD_AGENTS="1", ORCHARD_ISSUE_SILENCE_S="8",
    )  # fmt: skip
    yield one
    one.end()


def need(program: str) -> None:
    """Skip when a program is not here; where all is tried, it must be."""
    if not shutil.which(program):
        assert os.environ.get("CI") != "true", f"{program} is not installed"
        pytest.skip(f"{program} is not installed")


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_does_what_it_says(name: str, terminal: Terminal):
    for program in ("make", "curl", "bash") + (("node",) if name == "issue-agents" else ()):
        need(program)
    terminal.follow(blocks_of(TUTORIALS / f"{name}.md"))


@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_has_the_same_commands_and_files_in_japanese(name: str):
    page, translated = (blocks_of(TUTORIALS / f"{name}{end}") for end in (".md", ".ja.md"))
    assert page == translated


@pytest.mark.parametrize("name", NAMES)
def test_every_fence_of_a_tutorial_is_tried(name: str):
    text = (TUTORIALS / f"{name}.md").read_text("utf-8")
    blocks = blocks_of(TUTORIALS / f"{name}.md")
    assert len(blocks) == text.count("\n```") / 2
    assert {block.language for block in blocks} <= {"sh", "text", "python", "js"}
    assert all(block.file for block in blocks if block.language in {"python", "js"})
    assert {block.mark for block in blocks} == {"", "background", "checkout"}


def test_what_a_page_shows_is_compared_with_what_is_printed():
    assert pattern("a …\n…\nz").fullmatch("a 1\nb\nc\nz\n")
    assert not pattern("a …\nz").fullmatch("a 1\nb\nz\n")
    assert not pattern("a.c").fullmatch("abc\n")


def test_a_page_that_is_wrong_is_noticed(terminal: Terminal):
    terminal.folder.mkdir()
    terminal.follow([Block(language="sh", text="echo $((1 + 1))\n"), shown("2")])
    with pytest.raises(AssertionError, match="printed"):
        terminal.follow([Block(language="sh", text="echo 3\n"), shown("2")])
    with pytest.raises(AssertionError, match="ended with 1"):
        terminal.follow([Block(language="sh", text="false\n")])


def shown(text: str) -> Block:
    return Block(language="text", text=text)
