"""Tokens, sign-in links and the audit log in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from orchard.cleaning import admin as cleaning
from orchard.models import AuditEntry, SignInLink, Token
from orchard.tokens import SCOPES, digest, new_secret

__all__ = ["AuditEntryAdmin", "SignInLinkAdmin", "TokenAdmin", "cleaning"]


class TokenForm(forms.ModelForm):
    """A token's name, what it may do, and until when."""

    scopes = forms.MultipleChoiceField(
        label=_("scopes"), choices=[(scope, scope) for scope in SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )  # fmt: skip

    class Meta:
        model = Token
        fields = ("name", "scopes", "owner", "expires_at")


@admin.register(Token)
class TokenAdmin(ModelAdmin):
    """Tokens are made, seen, limited and revoked here; a secret is shown once, when it is made."""

    form = TokenForm
    list_display = ("name", "scopes", "owner", "expires_at", "last_used_at")
    readonly_fields = ("created_at", "last_used_at")

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        """Keep what was entered; a new token gets its secret now."""
        if not change:
            secret = new_secret()
            obj.digest = digest(secret)
            text = _("The token, shown only this once: %(secret)s") % {"secret": secret}
            messages.warning(request, text)
        super().save_model(request, obj, form, change)


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
