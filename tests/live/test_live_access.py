"""Who may follow what: every topic for strangers, people of each role, and each scope."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User

from orchard.live import consumers
from orchard.roles import Role, give_role, shut_out
from orchard.services import arun, queries
from orchard.tokens import SCOPES, create_token, forget_bearers
from tests.live.conftest import Socket, socket
from tests.services.orchards import submit

pytestmark = pytest.mark.django_db(transaction=True)

TOPICS: list[tuple[str, set[str]]] = [
    # topic, the scopes of which one is needed (besides admin); people of every role may look
    ("fleet", {"read"}),
    ("events", {"read"}),
    ("job:0123456789abcdef", {"read"}),
    ("issues", {"read", "issues"}),
    ("issue:7", {"read", "issues"}),
    ("processes", {"read", "issues"}),
    ("locks", {"read", "issues"}),
    ("labels", {"read", "issues"}),
    ("state", {"read", "state"}),
    ("state:notes", {"read", "state"}),
]


async def expect(ears: Socket, code: int | None) -> None:
    """A socket stays open, or is closed with this code."""
    await ears.open()
    if code is None:
        assert await ears.receive_nothing(timeout=0.1)
        await ears.disconnect()
    else:
        assert await ears.close_code() == code


@pytest.mark.parametrize(("topic", "scopes"), TOPICS)
async def test_people_of_every_role_may_follow_and_strangers_may_not(topic, scopes):
    for role in Role:
        person = await User.objects.acreate(username=role.word)
        await sync_to_async(give_role)(person, role)
        await expect(socket(topic, user=person), None)
    await expect(socket(topic, user=AnonymousUser()), consumers.ANONYMOUS)


@pytest.mark.parametrize(("topic", "scopes"), TOPICS)
async def test_each_scope_opens_its_topics_and_no_others(topic, scopes):
    for scope in SCOPES:
        _, secret = await sync_to_async(create_token)(scope, [scope])
        may = scope in scopes | {"admin"}
        await expect(socket(topic, token=secret), None if may else consumers.FORBIDDEN)


async def _followed(ears: Socket) -> None:
    await ears.open()
    await sync_to_async(submit)()
    assert (await ears.frame())["events"]


async def test_who_is_shut_out_hears_no_more(monkeypatch):
    monkeypatch.setattr(consumers, "CHECK_S", 0.0)
    await User.objects.acreate(username="root", is_staff=True)
    person = await User.objects.acreate(username="eve")
    ears = socket(cursor=await arun(queries.events_end()), user=person)
    await _followed(ears)
    await sync_to_async(shut_out)(person)
    await sync_to_async(submit)()
    assert await ears.close_code() == consumers.ANONYMOUS


async def test_a_revoked_token_hears_no_more(monkeypatch):
    monkeypatch.setattr(consumers, "CHECK_S", 0.0)
    token, secret = await sync_to_async(create_token)("ears", ["read"])
    ears = socket(cursor=await arun(queries.events_end()), token=secret)
    await _followed(ears)
    await token.adelete()
    forget_bearers()
    await sync_to_async(submit)()
    assert await ears.close_code() == consumers.ANONYMOUS
