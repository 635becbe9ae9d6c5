"""Addresses of the pages on access: users, tokens, the audit log, and what is one's own."""

from __future__ import annotations

from django.urls import URLPattern, path

from orchard.web import audit, own, people, tokens

urlpatterns: list[URLPattern] = [
    path("ui/access/", people.people, name="people-page"),
    path("ui/access/users/add", people.add, name="user-add"),
    path("ui/access/users/let-in-again", people.lift_wait, name="wait-lift"),
    path("ui/access/users/<path:name>/role", people.change_role, name="user-role"),
    path("ui/access/users/<path:name>/link", people.make_link, name="user-link"),
    path("ui/access/users/<path:name>/shut-out", people.shut_out, name="user-shut-out"),
    path("ui/access/users/<path:name>/let-in", people.let_in, name="user-let-in"),
    path("ui/access/tokens/", tokens.tokens, name="tokens-page"),
    path("ui/access/tokens/add", tokens.add, name="token-add"),
    path("ui/access/tokens/<int:pk>/revoke", tokens.revoke, name="token-revoke"),
    path("ui/access/audit/", audit.audit, name="audit-page"),
    path("ui/access/audit/export", audit.export, name="audit-export"),
    path("ui/me/", own.own, name="own-page"),
    path("ui/me/password", own.change_password, name="own-password"),
    path("ui/me/sign-out-elsewhere", own.sign_out_elsewhere, name="own-sign-out"),
    path("ui/me/tokens/add", own.add_token, name="own-token-add"),
    path("ui/me/tokens/<int:pk>/revoke", own.revoke_token, name="own-token-revoke"),
]
