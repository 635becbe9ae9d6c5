"""Fixtures of the deliveries: a server like GitHub, and requests to deliver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from statecore.ports.github import GitHubDelivery
from tests.ports.github_like import REPOSITORY, TOKEN, GitHubLike, Issue


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubLike]:
    """A server like GitHub on the loopback, with issue 7 in it; no proxy stands before it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with GitHubLike() as server:
        server.issues[7] = Issue()
        yield server


@pytest.fixture
def delivery(github: GitHubLike) -> Iterator[GitHubDelivery]:
    """Delivers to that server; it may be silent for half a second."""
    made = GitHubDelivery(REPOSITORY, TOKEN, github.base_url, timeout_s=0.5)
    yield made
    made.close()
