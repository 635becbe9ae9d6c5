"""``/api/v1/whoami``."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orchard.roles import Role, give_role
from orchard.tokens import SCOPES
from tests.api.fixtures import Tokens

pytestmark = pytest.mark.usefixtures("store")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_is_told_its_name_and_what_it_may_do(tokens: Tokens, scope: str):
    told = Client(headers=tokens(scope)).get("/api/v1/whoami").json()
    assert told["name"].startswith("token:")
    assert told["scopes"] == (list(SCOPES) if scope == "admin" else [scope])


def test_a_person_is_told_what_the_role_allows(db):
    person = User.objects.create_user("olga")
    give_role(person, Role.OPERATOR)
    client = Client()
    client.force_login(person)
    told = client.get("/api/v1/whoami").json()
    assert told == {"name": "olga", "scopes": ["read", "submit", "worker", "issues"]}
