"""Who may do what: every address of the site, for strangers and for people of each role.

The table is :mod:`tests.web.permission_table`; the API's is in tests/api/test_access.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import get_resolver

from orchard.roles import Role
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from tests.web.permission_table import ROWS, Row, World

READ_ONLY = ("auditentry", "signinlink", "cleaningrun", "autocomplete")
"""What nobody adds or deletes by hand in Django's admin."""
OTHER_METHOD = {"get": "post", "post": "get"}


@pytest.fixture
def world(db: None, store: MemoryStore, clock: ManualClock) -> World:
    """A site with something for every action to be done to."""
    return World(store, clock)


def browser(world: World, role: Role | None) -> Client:
    client = Client()
    if role:
        client.force_login(world.people[role])
    return client


def ask(client: Client, world: World, row: Row, method: str = "") -> Any:
    form = {name: world.fill(value) for name, value in row.form.items()}
    act = getattr(client, method or row.method)
    answer = act(world.fill(row.path), form if row.form else None)
    if answer.streaming:  # a file that is sent has its end with the answer
        for close in answer._resource_closers:
            close()
    return answer


def is_refused(answer: Any) -> bool:
    """Whether somebody was sent away, to sign in or for good."""
    return answer.status_code in (401, 403) or answer.get("Location", "").startswith("/login?")


def routes(patterns: Any, before: str = "") -> set[str]:
    found = set()
    for pattern in patterns:
        here = before + str(pattern.pattern)
        inner = getattr(pattern, "url_patterns", None)
        found |= routes(inner, here) if inner is not None else {here}
    return found


ALL = routes(get_resolver().url_patterns)
API = routes(get_resolver("orchard.api.urls").url_patterns)
ADMIN = sorted(route for route in ALL if route.startswith("admin/"))


def test_every_address_has_a_line_in_the_table():
    assert {row.route for row in ROWS} == ALL - API - set(ADMIN)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_only_who_may_gets_in_and_a_refusal_changes_nothing(row: Row, world: World):
    before = world.snapshot()
    for role in (None, *Role):
        if row.needs is None or (role and role >= row.needs):
            break
        answer = ask(browser(world, role), world, row)
        if role is None:
            assert answer.status_code == 302
            assert answer["Location"].startswith("/login?next=/")
        else:
            assert answer.status_code == 403
            assert 'class="card narrow center"' in answer.content.decode()
        assert world.snapshot() == before
    allowed = [role for role in (None, *Role) if row.needs is None or (role and role >= row.needs)]
    for role in allowed:
        answer = ask(browser(world, role), world, row)
        assert not is_refused(answer), (role, answer.status_code)
        assert answer.status_code != 405
        if role is allowed[0]:
            assert (world.snapshot() != before) == row.changes


def test_looking_takes_get_and_doing_takes_post(world: World):
    before, client = world.snapshot(), browser(world, Role.ADMIN)
    for row in ROWS:
        methods = {one.method for one in ROWS if one.route == row.route}
        if row.needs and len(methods) == 1:
            answer = ask(client, world, row, OTHER_METHOD[row.method])
            assert answer.status_code == 405, str(row)
    assert world.snapshot() == before


def test_another_site_cannot_press_a_button(world: World):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.people[Role.ADMIN])
    before = world.snapshot()
    for row in ROWS:
        if row.method == "post":
            assert ask(strict, world, row).status_code == 403, str(row)
    assert world.snapshot() == before


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_a_page_shows_the_buttons_that_one_may_press_and_no_others(role: Role, world: World):
    client = browser(world, role)
    may, may_not = _actions(role), _actions(None) - _actions(role)
    shown: set[str] = set()
    for row in ROWS:
        if row.method == "get" and row.needs and role >= row.needs:
            answer = ask(client, world, row)
            if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
                shown |= _targets(answer.content.decode(), world)
    assert not shown & may_not
    assert shown & may


def _actions(role: Role | None) -> set[str]:
    """The actions of a role alone; ``None`` for all."""
    posts = [(row.route, row.needs) for row in ROWS if row.method == "post" and row.needs]
    posts.append(("submit", Role.OPERATOR))
    return {route for route, needs in posts if role is None or role >= needs}


def _targets(page: str, world: World) -> set[str]:
    """The actions whose buttons a page shows."""
    found = set()
    for part in page.split('action="')[1:]:
        path = part.partition('"')[0].partition("?")[0].replace("&amp;", "&")
        tag = part.partition(">")[0]
        if 'method="post"' in tag or 'method="post"' in page.partition(part)[0].rpartition("<")[2]:
            match = get_resolver().resolve(path)
            found.add(match.route)
    return found


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_djangos_admin_is_for_admins(role: Role | None, world: World):
    before, client = world.snapshot(), browser(world, role)
    for route in ADMIN:
        answer = client.get("/" + _filled(route), follow=True)
        gone = answer.redirect_chain[-1][0] if answer.redirect_chain else ""
        if role is None:
            assert gone.startswith("/login?next=/admin/"), route
        elif role < Role.ADMIN:
            assert answer.status_code == 403, route
        else:
            assert not gone.startswith("/login"), route
            assert answer.status_code != 403 or any(name in route for name in READ_ONLY), route
    assert world.snapshot() == before


def _filled(route: str) -> str:
    parts = {
        "<path:object_id>": "1", "<path:content_type_id>": "1", "<id>": "1",
        "^(?P<app_label>auth|orchard)/$": "auth/", "(?P<url>.*)$": "nowhere",
    }  # fmt: skip
    for part, name in parts.items():
        route = route.replace(part, name)
    return route


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_static_files_are_open_and_no_other_files_are(role: Role | None, world: World):
    client = browser(world, role)
    assert finders.find("orchard/app.js")
    assert client.get("/static/orchard/app.js").status_code == 200
    for path in (
        "/static/orchard/../settings.py",
        "/static/nothing",
        "/media/jobs/x",
        "/var/token",
    ):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_what_is_nowhere_is_404_for_everybody(role: Role | None, world: World):
    assert browser(world, role).get("/ui/nowhere").status_code == 404
