"""The doctor knows every key that the code makes, and its page every symptom."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import statecore.keys
from orchard import keys
from orchard.doctor.examining import RULES, SYMPTOMS
from statecore.store.findings import match
from statecore.store.walking import KeyFact

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
CHANNELS = {statecore.keys.REQUESTS_CHANNEL, statecore.keys.RESPONSES_CHANNEL}
KINDS = {"String": "string", "Hash": "hash", "Set": "set", "Sorted": "sorted set",
         "Stream": "stream"}  # fmt: skip


def made_by(module):
    """Each key of a module with the type that its docstring names."""
    for _, make in inspect.getmembers(module, inspect.isfunction):
        if make.__module__ == module.__name__:
            parts = inspect.signature(make).parameters
            yield make(*["x"] * len(parts)), KINDS[re.match(r"\w+", make.__doc__)[0]]
    told = re.findall(r'^([A-Z_]+) = .*\n"""(\w+)', inspect.getsource(module), re.MULTILINE)
    for name, kind in told:
        value = getattr(module, name)
        if isinstance(value, str) and value not in CHANNELS:
            yield value, KINDS[kind]


@pytest.mark.parametrize("module", [keys, statecore.keys])
def test_every_key_has_a_rule_with_its_type(module):
    listed = ("index:jobs:x", "poppo:index:issues:x", "poppo:index:labels:x")
    for name, kind in made_by(module):
        if name in listed:  # only real states have lists
            continue
        known = match(RULES, KeyFact(name, kind, None, 1))
        assert known, name
        assert known[0].kind == kind, name


def test_the_page_has_every_symptom_in_its_own_words():
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", PAGE.read_text("utf-8"), re.M)
    assert rows == [(c, s.meaning, s.repair or "–") for c, s in SYMPTOMS.items()]
