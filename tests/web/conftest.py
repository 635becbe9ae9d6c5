"""What tests of the pages share: the fixtures of the site, and people who are signed in."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.api import fixtures

_site, store = fixtures._site, fixtures.store
staff, viewer = fixtures.staff, fixtures.viewer


@pytest.fixture
def reader(store, viewer: User) -> Client:
    """The browser of somebody who may look."""
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def operator(store, staff: User) -> Client:
    """The browser of somebody who may do everything."""
    client = Client()
    client.force_login(staff)
    return client
