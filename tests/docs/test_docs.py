"""The pages say what the code does: each list in docs/ is compared with its source."""

import inspect
import re
import typing
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import get_commands

from orchard import keys
from orchard.conf import Conf
from orchard.domain import events
from orchard.domain.lifecycle import CHUNK_MOVES, JOB_MOVES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def read(name):
    return (ROOT / "docs" / name).read_text("utf-8")


def rows(text):
    """The cells of every table row, without their back-ticks."""
    lines = re.findall(r"^\|(.+)\|$", text, re.MULTILINE)
    return [[cell.strip().replace("`", "") for cell in line.split("|")] for line in lines]


@pytest.mark.parametrize(("title", "moves"), [("## Job", JOB_MOVES), ("## Chunk", CHUNK_MOVES)])
def test_the_tables_of_moves_are_those_of_the_code(title, moves):
    section = read("lifecycle.md").split(title)[1].split("\n## ")[0]
    shown = {row[0]: set(row[1].replace("–", "").split(", ")) - {""} for row in rows(section)[2:]}
    assert shown == {str(now): set(map(str, to)) for now, to in moves.items()}


def test_every_event_is_on_its_page_with_its_fields():
    shown = {row[0]: set(row[2].split(", ")) for row in rows(read("events.md"))[2:]}
    assert shown == {
        event.__struct_config__.tag: set(event.__struct_fields__) - {"at"}
        for event in typing.get_args(events.Event)
    }


def test_every_key_is_on_its_page_and_no_other():
    shown = {re.sub(r"<.*?>", "*", row[0]) for row in rows(read("keys.md"))[2:]}
    made = {
        make(*["*"] * len(inspect.signature(make).parameters))
        for _, make in inspect.getmembers(keys, inspect.isfunction)
        if make.__module__ == keys.__name__
    }
    named = {
        value for name, value in vars(keys).items() if name.isupper() and isinstance(value, str)
    }
    assert shown == made | named


def test_every_setting_is_on_its_page():
    text = read("settings.md")
    assert [f.name for f in fields(Conf) if f"`{f.metadata['env']}`" not in text] == []


def test_every_link_between_pages_leads_somewhere():
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            is_here = not target.startswith(("http://", "https://", "mailto:"))
            if is_here and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


@pytest.mark.parametrize("name", ["README.md", "README.ja.md", "docs/architecture.md"])
def test_commands_that_a_page_names_exist(name):
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert named
    assert named <= set(get_commands())
    targets = set(re.findall(r"^make ([a-z]+)", text, re.MULTILINE))
    assert targets <= set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_both_readmes_have_the_same_parts():
    first, second = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.ja.md"))
    assert first.count("\n## ") == second.count("\n## ")
    assert (
        re.findall(r"```sh\n.*?```", first, re.DOTALL)[1]
        == (re.findall(r"```sh\n.*?```", second, re.DOTALL)[1])
    )
