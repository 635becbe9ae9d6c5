"""Runs of cleaning in Django's admin, with the way to the page where they are begun."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from orchard.cleaning.deeds import DEEDS
from orchard.models import CleaningRun


@admin.register(CleaningRun)
class CleaningRunAdmin(ModelAdmin):  # type: ignore[misc] # unfold has no types
    """What was cleaned by hand; nothing is begun, changed or deleted here."""

    list_display = ("created_at", "who", "action", "state", "total", "done", "skipped", "page")
    list_filter = ("state", "deed")
    search_fields = ("who", "deed")
    list_before_template = "orchard/parts/admin_cleanup.html"
    exclude = ("names", "shown", "position", "held_until")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Runs without their long lists of names."""
        return super().get_queryset(request).defer("names")

    @admin.display(description=_("action"), ordering="deed")
    def action(self, run: CleaningRun) -> str:
        """What was done, in words and as the audit log names it."""
        deed = DEEDS.get(run.deed)
        return f"{deed.label} ({run.deed})" if deed else run.deed

    @admin.display(description=_("cleanup page"))
    def page(self, run: CleaningRun) -> str:
        """Where the run is looked at and moved."""
        return format_html('<a href="{}">#{}</a>', reverse("cleanup-run", args=[run.pk]), run.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A run is begun on the cleanup page, where its preview is."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was done cannot be changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by hand: old ones are forgotten by themselves."""
        return False
