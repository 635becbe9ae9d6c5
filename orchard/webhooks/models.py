"""What is kept of webhooks: who is told, what they are told, and how far the events were read."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils import timezone


def new_uid() -> str:
    """A name that no other endpoint or database has."""
    return secrets.token_hex(8)


class Endpoint(models.Model):
    """A program that is told of what happens."""

    GONE, FAILING = "gone", "failing"
    REASONS = ((GONE, "answered 410 Gone"), (FAILING, "failed for days"))

    uid = models.CharField(max_length=32, unique=True, default=new_uid)
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True, default="")
    types = models.JSONField(default=list)
    """Of which events it is told; of all, when there is none."""
    is_enabled = models.BooleanField(default=True)
    stopped_for = models.CharField(max_length=8, choices=REASONS, blank=True, default="")
    """Why it was disabled by itself."""
    secret = models.BinaryField()
    """What signs, sealed if the site has a key ring."""
    old_secret = models.BinaryField(null=True)
    """What signed before the last rotation, and still does until ``old_until``."""
    old_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    """When the first of its failures happened that no success followed."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "webhooks_endpoint"
        ordering = ("created_at", "pk")

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One message to one endpoint."""

    PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
    STATES = ((PENDING, "pending"), (DELIVERED, "delivered"), (FAILED, "failed"))

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=64)
    """The same in every attempt, and after a replay."""
    type = models.CharField(max_length=40)
    subject = models.CharField(max_length=100)
    """What it is about, such as ``job:4f2a…``; of each subject, messages go out in order."""
    payload = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=STATES, default=PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    """Not before then; meant for pending ones."""
    ended_at = models.DateTimeField(null=True)
    status = models.PositiveIntegerField(null=True)
    """What the last attempt was answered."""
    error = models.CharField(max_length=300, blank=True, default="")
    excerpt = models.TextField(blank=True, default="")
    """How the last answer began."""
    took_ms = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "webhooks_delivery"
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint", "message_id"), name="webhooks_each_message_once"
            ),
        )
        indexes = (
            models.Index(fields=("endpoint", "state", "next_at"), name="webhooks_due"),
            models.Index(fields=("endpoint", "subject", "state", "id"), name="webhooks_in_order"),
            models.Index(fields=("created_at",), name="webhooks_age"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"


class Reading(models.Model):
    """How far the events were read; one row, changed in one transaction with the deliveries."""

    identity = models.CharField(max_length=32, default=new_uid)
    """Names this database: each one has a sender of its own."""
    version = models.BigIntegerField(default=0)
    """Grows with each change: of two who would go on from the same place, one is refused."""
    is_begun = models.BooleanField(default=False)
    """Whether events are read at all; not while nobody is to be told."""
    cursor = models.TextField(default="")
    """The event up to which deliveries were made."""
    told_ms = models.BigIntegerField(default=0)
    """When the last event happened that was told, in epoch ms."""
    is_catching_up = models.BooleanField(default=False)
    """Whether all jobs are looked through, because events were lost."""
    place = models.TextField(default="")
    """Where that goes on."""

    class Meta:
        db_table = "webhooks_reading"

    def __str__(self) -> str:
        return f"{self.identity} {self.version}"
