"""The pages say what the code does: each list in docs/ is compared with its source."""

import inspect
import re
import typing
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

import statecore.domain.events
import statecore.keys
from orchard import checks, keys
from orchard.agent import make_parser
from orchard.conf import Conf
from orchard.domain import events
from orchard.domain.lifecycle import CHUNK_MOVES, JOB_MOVES, WORKER_MOVES
from orchard.services import cleanup
from statecore.domain.lifecycle import ISSUE_MOVES, LABEL_MOVES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def read(name):
    return (ROOT / "docs" / name).read_text("utf-8")


def rows(text):
    """The cells of every table row, without their back-ticks."""
    lines = re.findall(r"^\|(.+)\|$", text, re.MULTILINE)
    return [[cell.strip().replace("`", "") for cell in line.split("|")] for line in lines]


MOVES = [
    ("## Job", JOB_MOVES), ("## Chunk", CHUNK_MOVES), ("## Worker", WORKER_MOVES),
    ("## Issue", ISSUE_MOVES), ("## Label request", LABEL_MOVES),
]  # fmt: skip
KEYS = [("## Jobs and workers", keys), ("## Issues and state", statecore.keys)]
EVENTS = [
    ("## Jobs, workers and schedules", events), ("## Issues and state", statecore.domain.events),
]  # fmt: skip
SHARED = {keys.EVENTS}
"""Told of once, with the keys of the jobs."""


def rows_of_keys(title):
    """The table of one side's keys; what stands in for a part of a name is a star."""
    section = read("keys.md").split(title)[1].split("\n## ")[0]
    return [[re.sub(r"<.*?>", "*", row[0]), *row[1:]] for row in rows(section)[2:]]


@pytest.mark.parametrize(("title", "moves"), MOVES)
def test_the_tables_of_moves_are_those_of_the_code(title, moves):
    section = read("lifecycle.md").split(title)[1].split("\n## ")[0]
    shown = {row[0]: set(row[1].replace("–", "").split(", ")) - {""} for row in rows(section)[2:]}
    assert shown == {str(now): set(map(str, to)) for now, to in moves.items()}


@pytest.mark.parametrize(("title", "module"), EVENTS)
def test_every_event_is_on_its_page_with_its_fields(title, module):
    section = read("events.md").split(title)[1].split("\n## ")[0]
    shown = {row[0]: set(row[2].split(", ")) for row in rows(section)[2:]}
    assert shown == {
        event.__struct_config__.tag: set(event.__struct_fields__) - {"at"}
        for event in typing.get_args(module.Event)
    }


@pytest.mark.parametrize(("title", "module"), KEYS)
def test_every_key_is_on_its_page_and_no_other(title, module):
    shown = {row[0] for row in rows_of_keys(title)}
    made = {
        make(*["*"] * len(inspect.signature(make).parameters))
        for _, make in inspect.getmembers(module, inspect.isfunction)
        if make.__module__ == module.__name__
    }
    named = {
        value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)
    }
    assert shown | SHARED == made | named


@pytest.mark.parametrize(("title", "module"), KEYS)
def test_the_type_of_every_key_is_the_one_of_the_code(title, module):
    shown = {row[0]: row[1] for row in rows_of_keys(title) if row[1] != "channel"}
    source = inspect.getsource(module)
    told = dict(re.findall(r'^([A-Z_]+) = .*\n"""(\w[\w ]*?)(?: with TTL)?:', source, re.MULTILINE))
    types = {getattr(module, name): kind.lower() for name, kind in told.items()}
    types = {name: kind for name, kind in types.items() if isinstance(name, str)}
    for _, make in inspect.getmembers(module, inspect.isfunction):
        name = make(*["*"] * len(inspect.signature(make).parameters))
        kind = re.match(r"(.*?)(?: ``alive``)?(?: with TTL.*?)?[:.;]", make.__doc__)[1]
        types[name] = kind.removesuffix(" with TTL").lower()
    assert shown | dict.fromkeys(SHARED, "stream") == types


def test_times_of_keys_are_those_of_the_code():
    lives = {row[0].split("*")[0]: row[3] for title, _ in KEYS for row in rows_of_keys(title)}
    assert lives["worker:"].startswith(f"{Conf().worker_ttl_s:g} s")
    assert lives["user_pref:"] == f"{keys.USER_PREF_TTL_MS // 1000} s"
    assert lives["idempotency:"] == f"{keys.IDEMPOTENCY_TTL_MS // 1000} s"
    assert lives["lease:reaper"] == f"{cleanup.REAPER_TTL_MS // 1000} s"
    assert lives["poppo:lock:issue:"].startswith(f"its lease, {Conf().issue_lease_s:g} s")
    assert lives["poppo:process:heartbeat:"].startswith(f"{Conf().process_ttl_s:g} s")
    assert lives["lock:"].startswith(f"its lease, {Conf().lock_ttl_s:g} s")
    assert lives["poppo:change:"] == f"{statecore.keys.CHANGE_TTL_MS // 1000} s"
    assert Conf().job_ttl_s == 3600
    assert "1 h once ended" in lives["job:"]


def test_every_command_is_on_its_page_with_its_own_words():
    table = rows(read("commands.md").split("## ")[0])[2:]
    apps = ("orchard", "statecore")
    ours = {name: app for name, app in get_commands().items() if app in apps}
    helps = {name: load_command_class(app, name).help for name, app in ours.items()}
    assert {row[0]: row[1] for row in table} == {
        name: text.replace("`", "") for name, text in helps.items()
    }


def test_every_variable_of_the_agent_is_on_the_page_with_its_option():
    table = rows(read("commands.md").split("## ")[1])[2:]
    assert {row[0] for row in table} == set(checks.OF_AGENTS)
    options = make_parser().format_help()
    assert [row[1] for row in table if row[1] != "–" and row[1] not in options] == []


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
