"""What the catalogue keeps: a row for each job, and how far the engine was read."""

from __future__ import annotations

import secrets

from django.db import models


class CataloguedJob(models.Model):
    """What a job is found and sorted by; everything else is asked of the engine."""

    job_id = models.CharField(max_length=64, unique=True)
    folded = models.TextField()
    """Name and id as they are compared; see :mod:`orchard.catalogue.texts`."""
    marks = models.TextField(default="")
    """What the index is given besides, for words of one or two characters."""
    status = models.CharField(max_length=16)
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()
    bytes = models.BigIntegerField(default=0)
    duration_ms = models.BigIntegerField(default=0)
    text_read = models.BooleanField(null=True)
    """Whether what was said can be searched; nothing as long as nobody has looked."""

    class Meta:
        db_table = "catalogue_job"
        # Each order, of all jobs and of those of one state, is walked along an index.
        indexes = (
            models.Index(fields=("created_ms", "id"), name="catalogue_created"),
            models.Index(fields=("updated_ms", "id"), name="catalogue_updated"),
            models.Index(fields=("folded", "id"), name="catalogue_name"),
            models.Index(fields=("bytes", "id"), name="catalogue_bytes"),
            models.Index(fields=("duration_ms", "id"), name="catalogue_duration"),
            models.Index(fields=("status", "created_ms", "id"), name="catalogue_of_created"),
            models.Index(fields=("status", "updated_ms", "id"), name="catalogue_of_updated"),
            models.Index(fields=("status", "folded", "id"), name="catalogue_of_name"),
            models.Index(fields=("status", "bytes", "id"), name="catalogue_of_bytes"),
            models.Index(fields=("status", "duration_ms", "id"), name="catalogue_of_duration"),
            models.Index(
                fields=("created_ms",),
                name="catalogue_unread",
                condition=models.Q(status="completed", text_read__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return self.job_id


class Passage(models.Model):
    """Some lines of a transcript, about as much as is said in half a minute."""

    job = models.ForeignKey(CataloguedJob, on_delete=models.CASCADE, related_name="passages")
    folded = models.TextField()
    """What was said, as it is compared."""
    marks = models.TextField(default="")
    lines = models.TextField()
    """The lines as they are shown, each with its start, as JSON."""

    class Meta:
        db_table = "catalogue_passage"

    def __str__(self) -> str:
        return self.folded[:40]


def new_identity() -> str:
    """A name that no other database has."""
    return secrets.token_hex(8)


class Reading(models.Model):
    """How far the engine was read; one row, changed in one transaction with the jobs' rows."""

    EVENTS, JOBS, ROWS = "events", "jobs", "rows"
    PHASES = ((EVENTS, "follows"), (JOBS, "reads all jobs"), (ROWS, "drops rows of no job"))

    identity = models.CharField(max_length=32, default=new_identity)
    """Names this database: each one has a follower of its own."""
    version = models.BigIntegerField(default=0)
    """Grows with each change: of two who would go on from the same place, one is refused."""
    cursor = models.TextField(default="")
    """The event up to which the rows are true."""
    phase = models.CharField(max_length=8, choices=PHASES, default=JOBS)
    place = models.TextField(default="")
    """Where the present phase goes on."""
    is_begun = models.BooleanField(default=False)
    is_complete = models.BooleanField(default=False)
    """Whether all jobs were read once."""

    class Meta:
        db_table = "catalogue_reading"

    def __str__(self) -> str:
        return f"{self.phase} {self.version}"
