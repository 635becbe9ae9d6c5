"""Recordings that are sent in parts."""

from __future__ import annotations

from datetime import datetime

from orchard_client.models.base import Model
from orchard_client.models.jobs import Job


class PartUpload(Model, frozen=True, kw_only=True):
    """A resumable upload: how far it is, and the job that came of it."""

    upload_id: str
    location: str
    offset: int
    size: int
    expires_at: datetime
    job_id: str | None
    job: Job | None = None
    """Once it was handed in, while the server keeps it."""
