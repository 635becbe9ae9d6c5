"""Tokens, sign-in links and the audit log in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from orchard.models import AuditEntry, SignInLink, Token


@admin.register(Token)
class TokenAdmin(ModelAdmin):
    """Tokens can be seen, limited and revoked here; they are made where their secret is shown."""

    list_display = ("name", "scopes", "owner", "expires_at", "last_used_at")
    readonly_fields = ("created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A token made here would have a secret that nobody knows."""
        return False


class _ReadOnly(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SignInLink)
class SignInLinkAdmin(_ReadOnly):
    """Links that were made, and whether they were used."""

    list_display = ("user", "expires_at", "used_at")


@admin.register(AuditEntry)
class AuditEntryAdmin(_ReadOnly):
    """What was done by hand; nobody can change or delete it here."""

    list_display = ("at", "who", "action", "subject")
    search_fields = ("who", "action", "subject")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The log only grows."""
        return False
