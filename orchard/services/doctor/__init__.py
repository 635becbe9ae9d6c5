"""What must hold for jobs, chunks, workers and files; how to see that it does, and mend it."""

from __future__ import annotations

from orchard.services.doctor.catalogue import RULES, listings
from orchard.services.doctor.chunks import ChunkExaminer
from orchard.services.doctor.files import FolderExaminer, RecordingExaminer, walk_folders
from orchard.services.doctor.jobs import JobExaminer
from orchard.services.doctor.schedules import ScheduleExaminer
from orchard.services.doctor.symptoms import SYMPTOMS
from orchard.services.doctor.workers import WorkerExaminer
from statecore.store.findings import Side

__all__ = ["SIDE", "walk_folders"]

SIDE = Side(
    examiners=(
        JobExaminer(),
        ChunkExaminer(),
        WorkerExaminer(),
        ScheduleExaminer(),
        RecordingExaminer(),
        FolderExaminer(),
    ),
    rules=RULES,
    listings=listings,
    symptoms=SYMPTOMS,
)
"""The side of jobs and workers."""
