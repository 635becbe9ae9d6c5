"""What is kept in the database: tokens, sign-in links and the audit log. Jobs are not here."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Token(models.Model):
    """A key for programs, kept as a hash only. What it may do is in its scopes."""

    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, verbose_name=_("owner")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class SignInLink(models.Model):
    """A link that signs one person in, once, for a short while."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"))
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)

    class Meta:
        verbose_name = _("sign-in link")
        verbose_name_plural = _("sign-in links")
        ordering = ("-expires_at",)

    def __str__(self) -> str:
        return f"{self.user} · {self.expires_at:%Y-%m-%d %H:%M}"


class AppendOnly(models.QuerySet["AuditEntry"]):
    """Entries that can be read and added, and nothing else."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("the audit log only grows")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise TypeError("the audit log only grows")


class AuditEntry(models.Model):
    """What somebody did by hand. Entries are only ever added."""

    at = models.DateTimeField(_("when"), auto_now_add=True, db_index=True)
    who = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("action"), max_length=60)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    facts = models.JSONField(_("facts"), default=dict)

    objects = AppendOnly.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.who}: {self.action} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the entry.

        Raises:
            TypeError: it was added before.
        """
        if not self._state.adding:
            raise TypeError("the audit log only grows")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("the audit log only grows")


class CleaningRun(models.Model):
    """One action by hand on many things: what was previewed, and how far it has come."""

    PREVIEWED, RUNNING, STOPPED, DONE = "previewed", "running", "stopped", "done"
    STATES = (
        (PREVIEWED, _("previewed")), (RUNNING, _("running")), (STOPPED, _("stopped")),
        (DONE, _("done")),
    )  # fmt: skip

    created_at = models.DateTimeField(_("when"), auto_now_add=True, db_index=True)
    who = models.CharField(_("who"), max_length=150)
    deed = models.CharField(_("action"), max_length=60)
    filters = models.JSONField(_("selection"), default=dict)
    state = models.CharField(_("state"), max_length=12, choices=STATES, default=PREVIEWED)
    total = models.PositiveIntegerField(_("selected"), default=0)
    position = models.PositiveIntegerField(default=0, editable=False)
    done = models.PositiveIntegerField(_("done"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    problems = models.JSONField(_("problems"), default=list)
    shown = models.JSONField(default=list, editable=False)
    names = models.TextField(editable=False)
    held_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("cleaning run")
        verbose_name_plural = _("cleaning runs")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.deed} · {self.total}"
