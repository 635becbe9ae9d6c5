"""What tests of the REST API share: a site on a small store, tokens, and people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client

from orchard.services import engine
from orchard.tokens import create_token, forget_bearers
from statecore.store.base import Store

__all__ = [  # what ``import *`` gives a folder of tests
    "_site", "agent", "async_agent", "async_reader", "client", "issues", "operator", "reader",
    "staff", "state", "store", "tokens", "viewer",
]  # fmt: skip

Tokens = Callable[..., dict[str, str]]


class TokenClient(AsyncClient):
    """An asynchronous client with a token (Django's own drops its default headers)."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._headers = {"Authorization": f"Bearer {secret}"}

    def generic(self, *args: Any, headers: Any = None, **kwargs: Any) -> Any:
        return super().generic(*args, headers=self._headers | (headers or {}), **kwargs)


@pytest.fixture(autouse=True)
def _site(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Files and cache of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "media" / "tmp"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    forget_bearers()
    yield
    forget_bearers()


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The services of the test run against this store: memory, unless its mark says redis."""
    store: Store = request.getfixturevalue(f"{getattr(request, 'param', 'memory')}_store")
    before = engine.use(store)
    yield store
    engine.use(before)


@pytest.fixture
def tokens(db: None) -> Tokens:
    """Makes the header of a new token with these scopes."""

    def make(*scopes: str, name: str = "robot") -> dict[str, str]:
        _, secret = create_token(name, scopes)
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def client(store: Store, tokens: Tokens) -> Client:
    """A client that may do everything, by a token."""
    return Client(headers=tokens("admin"))


@pytest.fixture
def agent(store: Store, tokens: Tokens) -> Client:
    """A client with the rights of a worker."""
    return Client(headers=tokens("worker", name="agents"))


@pytest.fixture
def issues(store: Store, tokens: Tokens) -> Client:
    """A program that may work on issues."""
    return Client(headers=tokens("issues", name="agents"))


@pytest.fixture
def state(store: Store, tokens: Tokens) -> Client:
    """A program that may change state."""
    return Client(headers=tokens("state", name="keepers"))


@pytest.fixture
def async_agent(transactional_db: None, store: Store) -> AsyncClient:
    """The same for asynchronous tests; its token is visible to all threads."""
    return TokenClient(create_token("agents", ["worker"])[1])


@pytest.fixture
def async_reader(transactional_db: None, store: Store) -> AsyncClient:
    """An asynchronous client that may read."""
    return TokenClient(create_token("readers", ["read"])[1])


@pytest.fixture
def staff(db: None) -> User:
    """Somebody who may do everything."""
    return User.objects.create_user("ann", is_staff=True)


@pytest.fixture
def viewer(db: None) -> User:
    """Somebody who may look."""
    return User.objects.create_user("bob")


@pytest.fixture
def operator(store: Store, staff: User) -> Client:
    """The browser of somebody who may do everything."""
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def reader(store: Store, viewer: User) -> Client:
    """The browser of somebody who may look."""
    client = Client()
    client.force_login(viewer)
    return client


def wav(name: str = "talk.wav", content: bytes = b"RIFF....WAVE") -> SimpleUploadedFile:
    """A file to upload; the API does not listen to it."""
    return SimpleUploadedFile(name, content, "audio/wav")


def post_json(client: Client, path: str, body: Any = None) -> Any:
    """The answer to a body in JSON."""
    return client.post(path, {} if body is None else body, content_type="application/json")
