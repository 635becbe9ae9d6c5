"""The fixtures of the REST API's tests."""

from tests.api.fixtures import *  # noqa: F403 - fixtures are used by their names
