"""A site on a small store, and its clients."""

from tests.api.fixtures import *  # noqa: F403 - fixtures are used by their names
