"""Secrets: kept as hashes, in files of their owner alone, and for as long as they count."""

from __future__ import annotations

import multiprocessing
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from orchard import tokens
from orchard.first_start import prepare
from orchard.models import AuditEntry, Token
from orchard.private_files import read_or_make, write_private


@pytest.fixture(autouse=True)
def _nothing_known():
    tokens.forget_bearers()
    yield
    tokens.forget_bearers()


def mode(path: Path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


def secret_in(path: Path) -> str:
    """The secret in a file."""
    return path.read_text().strip()


@pytest.fixture
def data_dir(db, tmp_path) -> Path:
    """A data folder after its first start."""
    prepare(tmp_path / "var")
    return tmp_path / "var"


def test_a_first_start_leaves_tokens_only_their_owner_can_read(data_dir):
    assert mode(data_dir) == 0o700
    assert mode(data_dir / "token") == mode(data_dir / "worker_token") == 0o600
    bearer = tokens.find_bearer(secret_in(data_dir / "token"))
    assert bearer.scopes == set(tokens.SCOPES)
    assert bearer.user.username == "admin"
    agents = tokens.find_bearer(secret_in(data_dir / "worker_token"))
    assert agents.scopes == {"worker"}


def test_the_first_administrator_has_no_password(data_dir):
    admin = User.objects.get(username="admin")
    assert admin.is_superuser
    assert not admin.has_usable_password()


def test_a_second_start_keeps_token_and_password(data_dir):
    before = secret_in(data_dir / "token")
    admin = User.objects.get(username="admin")
    admin.set_password("correct horse")
    admin.save()
    (data_dir / "token").chmod(0o644)
    prepare(data_dir)
    assert secret_in(data_dir / "token") == before
    assert mode(data_dir / "token") == 0o600
    assert User.objects.get().check_password("correct horse")


def test_a_token_file_that_no_longer_counts_is_made_anew(data_dir):
    before = secret_in(data_dir / "token")
    Token.objects.all().delete()
    tokens.forget_bearers()
    prepare(data_dir)
    after = secret_in(data_dir / "token")
    assert after != before
    assert tokens.find_bearer(after)
    assert tokens.find_bearer(before) is None


def test_the_database_knows_no_secret(data_dir):
    secret = secret_in(data_dir / "token")
    for row in Token.objects.values():
        assert secret not in str(row)
    assert Token.objects.filter(digest=tokens.digest(secret)).exists()


def test_an_expired_token_does_not_count(db):
    past = timezone.now() - timedelta(seconds=1)
    _, secret = tokens.create_token("old", ["read"], expires_at=past)
    assert tokens.find_bearer(secret) is None


def test_the_token_of_somebody_who_left_does_not_count(db):
    owner = User.objects.create_user("gone", is_active=False)
    _, secret = tokens.create_token("theirs", ["read"], owner=owner)
    assert tokens.find_bearer(secret) is None


def test_a_revoked_token_lives_seconds_at_most(db, monkeypatch):
    token, secret = tokens.create_token("short", ["read"])
    now = [1000.0]
    monkeypatch.setattr("orchard.tokens.time.monotonic", lambda: now[0])
    assert tokens.find_bearer(secret)
    ended = timezone.now() - timedelta(seconds=1)
    Token.objects.filter(pk=token.pk).update(expires_at=ended)  # as another process would
    assert tokens.find_bearer(secret)
    now[0] += tokens.KNOWN_S
    assert tokens.find_bearer(secret) is None


def test_last_used_is_noted_once_a_minute_only(db, django_assert_num_queries):
    token, secret = tokens.create_token("busy", ["read"])
    tokens.find_bearer(secret)
    token.refresh_from_db()
    assert token.last_used_at
    tokens.forget_bearers()
    with django_assert_num_queries(1):
        tokens.find_bearer(secret)


def test_guesses_do_not_fill_the_memory(db):
    for number in range(1100):
        tokens.find_bearer(f"guess {number}")
    assert len(tokens._known) <= 1001


def test_an_unknown_scope_is_refused(db):
    with pytest.raises(ValueError, match="unknown scopes"):
        tokens.create_token("x", ["read", "everything"])


def test_admin_includes_all_scopes():
    bearer = tokens.Bearer(1, "x", frozenset({"admin"}), None)
    assert all(bearer.may(scope) for scope in tokens.SCOPES)
    assert not tokens.Bearer(1, "x", frozenset({"read"}), None).may("submit")


def _make_secret(path: Path, answers: multiprocessing.Queue) -> None:
    answers.put(read_or_make(path, lambda: f"made by {multiprocessing.current_process().pid}"))


def test_processes_that_start_together_agree_on_the_secret(tmp_path):
    spawn = multiprocessing.get_context("fork")
    answers = spawn.Queue()
    path = tmp_path / "secret"
    all_of_them = [spawn.Process(target=_make_secret, args=(path, answers)) for _ in range(8)]
    for one in all_of_them:
        one.start()
    secrets = {answers.get(timeout=20) for _ in all_of_them}
    for one in all_of_them:
        one.join()
    assert len(secrets) == 1
    assert mode(path) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_a_private_file_replaces_one_that_all_could_read(tmp_path):
    path = tmp_path / "token"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (mode(path), path.read_text()) == (0o600, "new\n")


def test_the_command_makes_a_token_for_another_machine(data_dir, capsys):
    call_command("create_token", "phone", "--scope", "worker", "--days", "3")
    bearer = tokens.find_bearer(capsys.readouterr().out.strip())
    assert (bearer.name, bearer.scopes) == ("phone", {"worker"})
    assert Token.objects.get(name="phone").expires_at > timezone.now() + timedelta(days=2)


def test_the_command_leaves_an_entry_without_the_secret(data_dir, capsys):
    call_command("create_token", "phone", "--scope", "worker", "--scope", "read", "--days", "3")
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.subject) == ("command line", "token.create", "phone")
    assert entry.facts == {"scopes": ["read", "worker"], "owner": "admin", "days": 3}
    assert capsys.readouterr().out.strip() not in str(entry.facts)


@pytest.mark.parametrize("wrong", [["--owner", "nobody"], ["--days", "0"], ["--days", "-1"]])
def test_the_command_refuses_what_cannot_be(data_dir, wrong):
    with pytest.raises(CommandError):
        call_command("create_token", "phone", "--scope", "worker", *wrong)
    assert not Token.objects.filter(name="phone").exists()
    assert not AuditEntry.objects.exists()


@pytest.fixture
def admin_client(data_dir) -> Client:
    """The administrator, signed in."""
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    return client


def test_a_token_made_in_the_admin_is_shown_once(admin_client):
    form = {"name": "script", "scopes": ["read", "submit"], "owner": ""}
    form |= {"expires_at_0": "", "expires_at_1": ""}
    page = admin_client.post("/admin/orchard/token/add/", form, follow=True)
    (message,) = [str(one) for one in page.context["messages"] if "orchard_" in str(one)]
    bearer = tokens.find_bearer(message.rsplit(" ", 1)[-1])
    assert bearer.scopes == {"read", "submit"}
    assert "orchard_" not in admin_client.get("/admin/orchard/token/").content.decode()


def test_the_admin_refuses_a_scope_that_there_is_not(admin_client):
    form = {"name": "script", "scopes": ["root"], "expires_at_0": "", "expires_at_1": ""}
    page = admin_client.post("/admin/orchard/token/add/", form)
    assert page.status_code == 200
    assert not Token.objects.filter(name="script").exists()


def test_a_token_deleted_in_the_admin_ends_at_once(admin_client):
    token, secret = tokens.create_token("script", ["read"])
    assert tokens.find_bearer(secret)
    admin_client.post(f"/admin/orchard/token/{token.pk}/delete/", {"post": "yes"})
    assert tokens.find_bearer(secret) is None


def test_tokens_deleted_together_end_at_once(admin_client):
    token, secret = tokens.create_token("script", ["read"])
    assert tokens.find_bearer(secret)
    form = {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"}
    admin_client.post("/admin/orchard/token/", form)
    assert tokens.find_bearer(secret) is None


def test_the_audit_log_only_grows(db):
    entry = AuditEntry.objects.create(who="ann", action="worker.drain", subject="w1")
    entry.who = "bob"
    for change in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(who="bob"),
    ):
        with pytest.raises(TypeError, match="only grows"):
            change()
    assert AuditEntry.objects.get().who == "ann"


@pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
def test_the_admin_cannot_touch_the_audit_log(admin_client, page):
    entry = AuditEntry.objects.create(who="ann", action="worker.drain", subject="w1")
    url = f"/admin/orchard/auditentry/{page.format(pk=entry.pk)}"
    assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert admin_client.get("/admin/orchard/auditentry/").status_code == 200
