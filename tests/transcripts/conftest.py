"""A site on a small store, and its clients."""

from tests.api.fixtures import (  # noqa: F401 - fixtures are used by their names
    _site,
    agent,
    async_agent,
    async_reader,
    client,
    issues,
    staff,
    state,
    store,
    tokens,
    viewer,
)
