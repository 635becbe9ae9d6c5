"""Files that are handed in again and again."""

from __future__ import annotations

from datetime import datetime

from orchard_client.models.base import Model


class Schedule(Model, frozen=True, kw_only=True):
    """What is handed in, how it is to be done, and when."""

    schedule_id: str
    name: str
    owner: str
    """In whose name its jobs are handed in."""
    cron: str
    time_zone: str
    enabled: bool
    next_at: datetime | None
    """When it is handed in next; never while it is disabled."""
    last_at: datetime | None
    last_job_id: str
    """The job of that time; empty if there is none."""
    last_error: str
    """Why there is none."""
    filename: str
    size: int
    type: str
    priority: int
    requires: list[str]
    language: str
    purifier: bool | None
    prompt: str
    hot_words: list[str]
    words: bool
    created_at: datetime


class Schedules(Model, frozen=True, kw_only=True):
    """All schedules."""

    schedules: list[Schedule]
    count: int
