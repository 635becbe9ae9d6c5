"""Signing in: links that work once and for an hour, passwords, and what surrounds the pages."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from orchard import sign_in
from orchard.models import AuditEntry, SignInLink


@pytest.fixture
def ann(db) -> User:
    """Somebody who wants in."""
    return User.objects.create_user("ann", password="correct horse", is_staff=True)


def is_signed_in(client: Client) -> bool:
    """Whether the client has a session."""
    return "_auth_user_id" in client.session


def test_a_link_signs_in_once(ann):
    link = sign_in.create_link(ann)
    first, second = Client(), Client()
    answer = first.post(link)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert is_signed_in(first)
    assert second.post(link).status_code == 410
    assert not is_signed_in(second)


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_a_link_does_not_use_it_up(ann, method):
    link = sign_in.create_link(ann)
    preview = Client()
    if method == "get":
        assert b"<button" in preview.get(link).content
    else:
        assert preview.head(link).status_code in (200, 405)
    assert not is_signed_in(preview)
    assert Client().post(link).status_code == 302


def test_a_link_ends_after_an_hour(ann):
    link = sign_in.create_link(ann)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    client = Client()
    assert client.get(link).status_code == 410
    assert client.post(link).status_code == 410
    assert not is_signed_in(client)


def test_a_new_link_lives_for_an_hour(ann):
    sign_in.create_link(ann)
    left = SignInLink.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_a_link_does_not_let_in_who_was_shut_out(ann):
    link = sign_in.create_link(ann)
    User.objects.update(is_active=False)
    assert Client().post(link).status_code == 410


def test_a_link_is_kept_as_a_hash(ann):
    secret = sign_in.create_link(ann).rsplit("/", 1)[-1]
    assert len(secret) >= 32
    assert secret not in str(SignInLink.objects.values())


@pytest.mark.parametrize("secret", ["x", "%00", "日本", "a" * 5000])
def test_a_guessed_link_is_refused(ann, secret):
    assert Client().post(f"/sign-in/{secret}").status_code in (404, 410)


def test_a_link_cannot_be_pressed_by_another_site(ann):
    link = sign_in.create_link(ann)
    careful = Client(enforce_csrf_checks=True)
    assert careful.post(link).status_code == 403
    assert Client().post(link).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_many_who_use_a_link_at_once_one_gets_in():
    link = sign_in.create_link(User.objects.create_user("ann"))
    secret = link.rsplit("/", 1)[-1]
    start, results = threading.Barrier(8), []

    def use() -> None:
        start.wait()
        try:
            results.append(sign_in.use_link(secret))
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([user for user in results if user]) == 1


def test_old_links_are_cleared_away(ann):
    sign_in.create_link(ann)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(days=8))
    sign_in.create_link(ann)
    assert SignInLink.objects.count() == 1


def test_the_command_prints_a_link(ann, capsys):
    call_command("sign_in_link", "ann")
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://127.0.0.1:8000/sign-in/")
    assert Client().post(link.removeprefix("http://127.0.0.1:8000")).status_code == 302


def test_the_command_leaves_an_entry_in_the_audit_log(ann, capsys):
    call_command("sign_in_link", "ann")
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.subject) == ("command line", "user.link", "ann")
    assert capsys.readouterr().out.strip().rsplit("/", 1)[-1] not in str(entry.facts)


def test_the_command_knows_nobody_else(ann):
    with pytest.raises(CommandError, match="no active user"):
        call_command("sign_in_link", "bob")
    assert not AuditEntry.objects.exists()


def test_a_password_works_too_and_one_can_leave(ann):
    client = Client()
    answer = client.post("/login", {"username": "ann", "password": "correct horse"})
    assert answer["Location"] == "/"
    assert is_signed_in(client)
    assert client.post("/logout")["Location"] == "/login"
    assert not is_signed_in(client)


def test_a_wrong_password_is_refused(ann):
    client = Client()
    page = client.post("/login", {"username": "ann", "password": "battery staple"})
    assert page.status_code == 200
    assert not is_signed_in(client)


def test_signing_in_does_not_lead_to_other_sites(ann):
    form = {"username": "ann", "password": "correct horse", "next": "https://evil.example/"}
    assert Client().post("/login", form)["Location"] == "/"


def test_strangers_are_sent_to_the_sign_in_page(db):
    for page in ("/", "/ui/jobs/", "/ui/workers/"):
        answer = Client().get(page)
        assert (answer.status_code, answer["Location"]) == (302, f"/login?next={page}")


def test_pages_carry_their_protection(db):
    answer = Client().get("/login")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in answer  # nobody could come back without TLS
    cookie = answer.cookies["csrftoken"]
    assert cookie["samesite"] == "Lax"


def test_the_session_cookie_is_out_of_reach_of_scripts(ann):
    client = Client()
    client.post(sign_in.create_link(ann))
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_unknown_host_names_are_refused(db):
    assert Client().get("/login", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(("language", "word"), [("ja", "サインイン"), ("en", "Sign in")])
def test_the_page_speaks_the_readers_language(db, language, word):
    page = Client().get("/login", headers={"accept-language": language}).content.decode()
    assert f'lang="{language}"' in page
    if language == "en":
        assert word in page
