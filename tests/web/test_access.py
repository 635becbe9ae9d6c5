"""Users, tokens, the audit log and one's own page: what they show, do and refuse."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.utils import timezone

from orchard.models import AuditEntry, SignInLink, Token
from orchard.roles import (
    SCOPES_OF,
    LastAdmin,
    Role,
    give_role,
    role_named,
    role_of,
    shut_out,
)
from orchard.tokens import SCOPES, create_token, find_bearer

YES = {"confirmed": "1"}
GOOD = "correct horse battery"
HOSTILE = "<script>alert(1)</script>"
PAGES = ["/ui/access/", "/ui/access/tokens/", "/ui/access/audit/", "/ui/me/"]


@pytest.fixture
def ann(staff: User) -> User:
    """The only admin."""
    return staff


@pytest.fixture
def admin(operator: Client) -> Client:
    """The browser of the only admin."""
    return operator


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def notices(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def secret_in(answer) -> str:
    return text_of(answer).partition('id="secret">')[2].partition("<")[0]


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


# -- roles ---------------------------------------------------------------------------


def test_the_page_on_access_has_the_scopes_of_each_role():
    lines = (Path(__file__).parents[2] / "docs/access.md").read_text().splitlines()
    told = {}
    for role in Role:
        line = next(line for line in lines if line.startswith(f"| `{role.word}` |"))
        told[role] = set(line.split("|")[2].replace("`", "").replace(" ", "").split(","))
    assert told == SCOPES_OF
    assert SCOPES_OF[Role.ADMIN] == set(SCOPES)


def test_people_are_what_they_were_made(db):
    user = User.objects.create_user("eve")
    assert role_of(user) is Role.VIEWER
    User.objects.create_superuser("root")
    for role in (Role.OPERATOR, Role.ADMIN, Role.VIEWER):
        give_role(user, role)
        assert role_of(fresh(user)) is role_of(user) is role


def test_there_are_three_roles_and_no_other():
    assert [role_named(word) for word in ("viewer", "operator", "admin")] == list(Role)
    with pytest.raises(ValueError, match="allowed: viewer, operator, admin"):
        role_named("root")


@pytest.mark.parametrize("change", [lambda u: give_role(u, Role.OPERATOR), shut_out])
def test_the_last_admin_stays(change, ann: User):
    with pytest.raises(LastAdmin):
        change(ann)
    assert role_of(fresh(ann)) is Role.ADMIN
    User.objects.create_superuser("root")
    change(ann)
    assert role_of(fresh(ann)) is not Role.ADMIN


def test_an_admin_who_was_shut_out_is_not_the_one_who_is_left(ann: User):
    User.objects.create_superuser("gone", is_active=False)
    with pytest.raises(LastAdmin):
        shut_out(ann)


def test_a_token_never_does_more_than_its_owner(db):
    User.objects.create_superuser("root")
    user = User.objects.create_user("eve")
    give_role(user, Role.ADMIN)
    _, secret = create_token("hers", ["admin", "submit"], owner=user)
    assert find_bearer(secret).may("state")
    give_role(user, Role.OPERATOR)
    bearer = find_bearer(secret)
    assert bearer.may("submit")
    assert not bearer.may("state")
    assert not bearer.may("admin")
    give_role(user, Role.VIEWER)
    assert find_bearer(secret).scopes == {"read"}


# -- users ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_pages_render_in_both_languages(path, language, admin: Client):
    page = text_of(admin.get(path, headers={"accept-language": language}))
    assert ("利用者" in page or "パスワード" in page) == (language == "ja")


def test_somebody_is_let_in_by_a_link_that_is_shown_once(admin: Client):
    answer = admin.post("/ui/access/users/add", {"username": "eve", "role": "operator"})
    link = secret_in(answer)
    assert link.startswith("http://testserver/sign-in/")
    assert "no-store" in answer["Cache-Control"]
    assert link not in text_of(admin.get("/ui/access/"))
    eve = Client()
    assert eve.post(link.removeprefix("http://testserver")).status_code == 302
    assert role_of(User.objects.get(username="eve")) is Role.OPERATOR
    entry = AuditEntry.objects.get(action="user.add")
    assert (entry.subject, entry.facts) == ("eve", {"after": {"role": "operator"}})
    assert link.rsplit("/", 1)[-1] not in json.dumps(entry.facts)


@pytest.mark.parametrize("form", [
    {"username": "a b", "role": "viewer"}, {"username": "", "role": "viewer"},
    {"username": "x" * 151, "role": "viewer"}, {"username": "eve", "role": "root"},
    {"username": "ANN", "role": "viewer"}, {"username": HOSTILE, "role": "viewer"}, {},
])  # fmt: skip
def test_who_cannot_be_is_not_made(form, admin: Client, ann: User):
    answer = admin.post("/ui/access/users/add", form, follow=True)
    assert len(notices(answer)) == 1
    assert list(User.objects.all()) == [ann]
    assert not AuditEntry.objects.exists()


def test_a_role_is_changed_and_both_are_written_down(admin: Client, viewer: User):
    admin.post("/ui/access/users/bob/role", {"role": "operator"})
    assert role_of(fresh(viewer)) is Role.OPERATOR
    facts = AuditEntry.objects.get().facts
    assert facts == {"before": {"role": "viewer"}, "after": {"role": "operator"}}


@pytest.mark.parametrize(("path", "form"), [
    ("role", {"role": "viewer"}), ("role", {"role": "root"}), ("shut-out", YES),
])  # fmt: skip
def test_the_last_admin_cannot_lock_themself_out(path, form, admin: Client, ann: User):
    answer = admin.post(f"/ui/access/users/ann/{path}", form, follow=True)
    assert len(notices(answer)) == 1
    assert role_of(fresh(ann)) is Role.ADMIN
    assert not AuditEntry.objects.exists()


def test_who_is_shut_out_is_out_at_once_and_can_be_let_in_again(admin: Client, viewer: User):
    theirs = Client()
    theirs.force_login(viewer)
    _, secret = create_token("theirs", ["read"], owner=viewer)
    assert theirs.get("/ui/me/").status_code == 200
    assert find_bearer(secret)
    asked = admin.post("/ui/access/users/bob/shut-out")
    assert "Are you sure?" in text_of(asked)
    assert fresh(viewer).is_active
    admin.post("/ui/access/users/bob/shut-out", YES)
    assert theirs.get("/ui/me/").status_code == 302
    assert find_bearer(secret) is None
    refused = admin.post("/ui/access/users/bob/link", follow=True)
    assert notices(refused)[-1] == "Let this person in first."
    assert not SignInLink.objects.exists()
    admin.post("/ui/access/users/bob/let-in")
    assert fresh(viewer).is_active
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["user.shut_out", "user.let_in"]


@pytest.mark.parametrize("path", ["role", "link", "shut-out", "let-in"])
def test_nobody_is_nobody(path, admin: Client):
    answer = admin.post(f"/ui/access/users/no/body/{path}", {"role": "viewer"} | YES, follow=True)
    assert notices(answer) == ["There is nobody of this name."]


def test_strange_names_are_shown_as_text(admin: Client):
    for name in (HOSTILE, "a/b?c=d", "人"):
        User.objects.create_user(name)
        create_token(name, ["read"])
        AuditEntry.objects.create(who=name, action=name, subject=name, facts={name: name})
    for path in PAGES[:3]:
        page = text_of(admin.get(path))
        assert HOSTILE not in page
        assert "&lt;script&gt;alert" in page
    admin.post("/ui/access/users/a/b%3Fc=d/role", {"role": "operator"})
    assert role_of(User.objects.get(username="a/b?c=d")) is Role.OPERATOR


# -- tokens --------------------------------------------------------------------------


def test_a_token_is_shown_once_and_revoked(admin: Client, ann: User):
    form = {"name": "phone", "scopes": ["worker", "read"], "days": "30"}
    secret = secret_in(admin.post("/ui/access/tokens/add", form))
    assert find_bearer(secret).scopes == {"worker", "read"}
    token = Token.objects.get()
    assert token.owner is None
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    page = text_of(admin.get("/ui/access/tokens/"))
    assert "phone" in page
    assert secret not in page
    path = f"/ui/access/tokens/{token.pk}/revoke"
    assert "phone" in text_of(admin.post(path))
    assert find_bearer(secret)
    admin.post(path, YES)
    assert find_bearer(secret) is None
    assert notices(admin.post(path, YES, follow=True))[-1] == "This token is no longer there."
    assert secret not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("form", [
    {}, {"name": "x"}, {"name": "", "scopes": ["read"]}, {"name": "x", "scopes": ["root"]},
    {"name": "x", "scopes": ["read"], "days": "-1"},
    {"name": "x", "scopes": ["read"], "owner": "nobody"},
    {"name": "x", "scopes": ["state"], "owner": "bob"},
])  # fmt: skip
def test_a_token_that_cannot_be_is_not_made(form, admin: Client, viewer: User):
    answer = admin.post("/ui/access/tokens/add", form, follow=True)
    assert len(notices(answer)) == 1
    assert not Token.objects.exists()


def test_everybody_makes_tokens_that_may_what_they_may(reader: Client, viewer: User, ann: User):
    theirs, _ = create_token("ann's", ["read"], owner=ann)
    secret = secret_in(reader.post("/ui/me/tokens/add", {"name": "mine", "scopes": ["read"]}))
    assert find_bearer(secret).user == viewer
    refused = reader.post("/ui/me/tokens/add", {"name": "more", "scopes": ["submit"]}, follow=True)
    assert notices(refused) == ["A token may not do more than the person it belongs to."]
    page = text_of(reader.get("/ui/me/"))
    assert "mine" in page
    assert theirs.name not in page
    assert 'value="submit"' not in page
    reader.post(f"/ui/me/tokens/{theirs.pk}/revoke", YES)
    assert Token.objects.filter(pk=theirs.pk).exists()
    reader.post(f"/ui/me/tokens/{Token.objects.get(name='mine').pk}/revoke", YES)
    assert find_bearer(secret) is None


# -- passwords -----------------------------------------------------------------------


def change(client: Client, **form: str):
    return client.post("/ui/me/password", form)


def test_a_first_password_and_another_one(reader: Client, viewer: User):
    viewer.set_unusable_password()
    viewer.save()
    reader.force_login(viewer)
    other = Client()
    other.force_login(viewer)
    assert change(reader, new_password1=GOOD, new_password2=GOOD).status_code == 302
    assert fresh(viewer).check_password(GOOD)
    assert reader.get("/ui/me/").status_code == 200
    assert other.get("/ui/me/").status_code == 302
    wrong = change(reader, old_password="no", new_password1=GOOD + "!", new_password2=GOOD + "!")
    assert wrong.status_code == 400
    change(reader, old_password=GOOD, new_password1=GOOD + "!", new_password2=GOOD + "!")
    assert fresh(viewer).check_password(GOOD + "!")
    assert [entry.action for entry in AuditEntry.objects.all()] == ["user.password"] * 2
    assert GOOD not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("password", ["short", "password", "12345678901"])
def test_a_weak_password_is_refused_with_the_reason(password, reader: Client, viewer: User):
    before = viewer.password
    answer = change(reader, new_password1=password, new_password2=password)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert fresh(viewer).password == before


def test_without_a_password_one_signs_out_elsewhere_too(reader: Client, viewer: User):
    other = Client()
    other.force_login(viewer)
    reader.post("/ui/me/sign-out-elsewhere")
    assert reader.get("/ui/me/").status_code == 200
    assert other.get("/ui/me/").status_code == 302


# -- guessing passwords --------------------------------------------------------------


@pytest.fixture
def few(settings, ann: User) -> User:
    """Three tries; somebody with a password."""
    settings.AXES_FAILURE_LIMIT = 3
    ann.set_password(GOOD)
    ann.save()
    return ann


def guess(name: str = "ann", password: str = "wrong", address: str = "192.0.2.1", **more):
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/login", form, **more)


def test_whoever_guesses_has_to_wait_and_is_told_how_long(few):
    assert [guess().status_code for _ in range(3)] == [200, 200, 429]
    told = guess(password=GOOD)
    assert told.status_code == 429
    assert told["Retry-After"] == "900"
    assert "Wait 15 minutes" in told.content.decode()
    told = guess(password=GOOD, headers={"accept-language": "ja"})
    assert "15分待ってから" in told.content.decode()
    entry = AuditEntry.objects.get(action="sign_in.wait")
    assert (entry.who, entry.subject) == ("ann", "192.0.2.1")


def test_neither_other_addresses_nor_other_names_help(few):
    for number in range(3):
        guess(address=f"192.0.2.{number}")
    assert guess(password=GOOD, address="192.0.2.99").status_code == 429
    User.objects.create_user("eve", password=GOOD)
    for name in ("x", "y", "z"):
        guess(name, address="198.51.100.1")
    assert guess("eve", GOOD, "198.51.100.1").status_code == 429
    assert guess("eve", GOOD, "198.51.100.2").status_code == 302


def test_the_wait_ends_by_itself_and_guesses_do_not_prolong_it(few):
    for _ in range(6):
        guess()
    assert AccessAttempt.objects.get().failures_since_start == 3
    AccessAttempt.objects.update(attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME)
    assert guess(password=GOOD).status_code == 302


def test_an_admin_lets_them_try_again(few, admin: Client):
    admin.force_login(few)
    for _ in range(4):
        guess()
    page = text_of(admin.get("/ui/access/"))
    assert "192.0.2.1" in page
    assert "has to wait" in page
    form = {"username": "ann", "address": "192.0.2.1"}
    admin.post("/ui/access/users/let-in-again", form)
    assert guess(password=GOOD).status_code == 302
    again = admin.post("/ui/access/users/let-in-again", form, follow=True)
    assert notices(again)[-1] == "Nobody waits there any more."


def test_a_link_works_while_passwords_wait(few):
    from orchard.sign_in import create_link

    for _ in range(4):
        guess()
    assert Client(REMOTE_ADDR="192.0.2.1").post(create_link(few)).status_code == 302


def test_who_gets_it_right_begins_anew(few):
    for _ in range(2):
        guess()
        guess()
        assert guess(password=GOOD).status_code == 302


def test_an_account_of_ones_own_is_no_way_to_guess_on(few):
    User.objects.create_user("eve", password=GOOD)
    for _ in range(2):
        guess()
        guess("eve", GOOD)
    assert guess().status_code == 429


def test_no_password_is_kept_or_logged(few, caplog):
    guess(password="hunter2-and-more")
    assert "hunter2" not in str(list(AccessAttempt.objects.values()))
    assert "hunter2" not in caplog.text


# -- the audit log -------------------------------------------------------------------


def fill(count: int = 120) -> None:
    for number in range(count):
        who, action = ("ann", "job.cancel") if number % 2 else ("bob", "user.role")
        AuditEntry.objects.create(who=who, action=action, subject=f"thing-{number}")


def subjects(answer) -> list[str]:
    return [row.entry.subject for row in answer.context["rows"]]


def test_entries_come_page_by_page_and_none_twice(admin: Client):
    fill()
    answer, found = admin.get("/ui/access/audit/"), []
    while True:
        found += subjects(answer)
        if not answer.context["older"]:
            break
        AuditEntry.objects.create(who="x", action="x.y", subject="meanwhile")
        answer = admin.get("/ui/access/audit/" + answer.context["older"])
    assert found == [f"thing-{number}" for number in reversed(range(120))]


@pytest.mark.parametrize(("query", "count"), [
    ("who=ann", 4), ("action=job", 4), ("action=user.role", 4), ("action=user.ro", 0),
    ("q=THING-3", 1), ("q=cancel&who=bob", 0), ("since=2000-01-01T00:00:00", 8),
    ("until=2000-01-01T00:00:00", 0), ("who=ann&q=thing", 4),
])  # fmt: skip
def test_filters_stand_in_the_address(query, count, admin: Client):
    fill(8)
    answer = admin.get(f"/ui/access/audit/?{query}")
    assert len(subjects(answer)) == count
    assert ("No entry matches" in text_of(answer)) == (count == 0)


def test_a_time_of_any_zone_is_shown_as_its_field_wants_it(admin: Client):
    fill(2)
    answer = admin.get("/ui/access/audit/?since=2026-11-21T09:30:00%2B09:00")
    assert 'name="since" value="2026-11-21T00:30:00"' in text_of(answer)


@pytest.mark.parametrize("text", ["会議", "slow", "SLOW", 'a"b'])
def test_facts_are_searched_too(text, admin: Client):
    facts = {"before": "slow", "after": '会議 a"b'}
    AuditEntry.objects.create(who="ann", action="state.set", subject="mode", facts=facts)
    AuditEntry.objects.create(who="ann", action="state.set", subject="other")
    assert subjects(admin.get("/ui/access/audit/", {"q": text})) == ["mode"]


def test_a_filter_that_makes_no_sense_is_said_so(admin: Client):
    fill(2)
    answer = admin.get("/ui/access/audit/?since=yesterday")
    assert "is no time" in text_of(answer)
    assert admin.get("/ui/access/audit/export?since=yesterday").status_code == 400
    assert admin.get("/ui/access/audit/export?format=exe").status_code == 404
    assert len(subjects(admin.get("/ui/access/audit/?cursor=x"))) == 2


def test_an_entry_shows_what_was_before_and_after(admin: Client):
    AuditEntry.objects.create(who="ann", action="state.set", subject="config/mode", facts={
        "before": {"value": "slow"}, "after": {"value": HOSTILE}, "more": 7,
    })  # fmt: skip
    page = text_of(admin.get("/ui/access/audit/"))
    assert "slow" in page
    assert HOSTILE not in page
    assert "&quot;more&quot;: 7" in page


@pytest.fixture
async def keeper(transactional_db, store) -> AsyncClient:
    """An admin who takes the log away."""
    client = AsyncClient()
    await client.aforce_login(await User.objects.acreate(username="ann", is_staff=True))
    return client


async def content(answer) -> str:
    assert answer.status_code == 200
    return b"".join([part async for part in answer.streaming_content]).decode()


async def test_the_log_is_taken_away_as_csv_without_formulas(keeper: AsyncClient):
    await AuditEntry.objects.acreate(who="=1+1", action="a.b", subject='x, "y"\n', facts={"n": 1})
    rows = csv.reader(io.StringIO(await content(await keeper.get("/ui/access/audit/export"))))
    head, row = list(rows)
    assert head == ["at", "who", "action", "subject", "facts"]
    assert row[1:] == ["'=1+1", "a.b", 'x, "y"\n', '{"n": 1}']


async def test_the_log_is_taken_away_as_lines_of_json(keeper: AsyncClient):
    for number in range(3):
        await AuditEntry.objects.acreate(who="ann", action="a.b", subject=f"語{number}")
    answer = await keeper.get("/ui/access/audit/export?format=ndjson&q=語")
    lines = [json.loads(line) for line in (await content(answer)).splitlines()]
    assert [line["subject"] for line in lines] == ["語2", "語1", "語0"]
    assert set(lines[0]) == {"at", "who", "action", "subject", "facts"}
