"""A small site with a broken type of jobs beside our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchard.conf import get_conf
from orchard.jobtypes import registry
from tests.api.fixtures import (  # noqa: F401 - fixtures are used by their names
    _site,
    agent,
    client,
    store,
    tokens,
)

TYPES = "tests.jobtypes.broken:Broken, tests.jobtypes.broken:Unfinished, no.such:Thing"


@pytest.fixture(autouse=True)
def types(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The settings name a type, and two that are none."""
    monkeypatch.setenv("ORCHARD_JOB_TYPES", TYPES)
    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


def forget() -> None:
    get_conf.cache_clear()
    registry.plug_ins.cache_clear()
