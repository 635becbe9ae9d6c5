"""The fixtures of the logbook's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from orchard.logbook.contract import Limits
from orchard.logbook.places import Place
from tests.logbook.logbooks import Logbook, place_of_url

BOTH = ("sqlite", "postgresql")
MakeLogbook = Callable[[Limits], Logbook]


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "logs.sqlite3"


@pytest.fixture
def postgres_place(postgres_url: str) -> Place:
    """An empty PostgreSQL database."""
    return place_of_url(postgres_url)


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest) -> Place:
    """Where nothing is yet: a test that uses it holds for both kinds of log database."""
    name = "sqlite_place" if request.param == "sqlite" else "postgres_place"
    return request.getfixturevalue(name)


@pytest.fixture
def make_logbook(place: Place) -> Iterator[MakeLogbook]:
    """Makes the log database with limits of the test's own."""
    with ExitStack() as opened:

        def make(limits: Limits) -> Logbook:
            made = Logbook(place, limits)
            opened.enter_context(closing(made.writer))
            return made

        yield make


@pytest.fixture
def logbook(make_logbook: MakeLogbook) -> Logbook:
    """An empty log database, of either kind."""
    return make_logbook(Limits())
