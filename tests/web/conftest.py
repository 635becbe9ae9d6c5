"""What tests of the pages share: the fixtures of the site, and people who are signed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser

from tests.api import fixtures
from tests.web.browsers import Orchard, open_browser, sign_in

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of one file; its event loop would be in the way of others'."""
    yield from open_browser()


@pytest.fixture(scope="module")
def session(orchard: Orchard, browser: Browser) -> Any:
    """What the browser of an administrator knows; each file has an ``orchard`` of its own."""
    return sign_in(browser, orchard)
