"""A store for each test of services, and a small site for those of the API."""

from tests.api.fixtures import _site, agent, client, staff, tokens, viewer  # noqa: F401
from tests.sealing.conftest import seal  # noqa: F401
from tests.services.conftest import store  # noqa: F401 - fixtures are used by their names
