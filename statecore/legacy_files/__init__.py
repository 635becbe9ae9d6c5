"""The state directories of older systems: what each file says, as entries of namespaces.

Nothing here changes what a file holds; :mod:`.moving` renames files that have been taken over.
"""

from __future__ import annotations

from statecore.legacy_files.moving import backup_name, has_old_files, move_aside
from statecore.legacy_files.plan import FilePlan, Note, Plan, Planned
from statecore.legacy_files.reading import read_directory

__all__ = [
    "FilePlan",
    "Note",
    "Plan",
    "Planned",
    "backup_name",
    "has_old_files",
    "move_aside",
    "read_directory",
]
