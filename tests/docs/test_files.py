"""The page on files names what the code reads and writes."""

from __future__ import annotations

import re
from pathlib import Path

from statecore.legacy_files.old_files import OLD_KINDS
from statecore.ports import backup_directories, export_format
from statecore.services import migration_flag

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")


def first_cells(title: str) -> list[str]:
    """The first cells of the table under a title, without its head."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)


def test_every_kind_of_old_file_is_on_the_page_in_its_order():
    named = first_cells("State directories of older systems")
    assert named[:-2] == list(OLD_KINDS)
    assert named[-2:] == ["unified-{namespace}.json", "requests/label-update-*.json"]
    assert f"config.{migration_flag.FLAG}" in PAGE


def test_every_part_of_an_export_is_on_the_page_in_its_order():
    assert first_cells("Exports") == list(export_format.SECTIONS)
    assert f'"format": "{export_format.FORMAT}",\n"version": {export_format.VERSION},' in PAGE


def test_every_file_of_a_backup_is_on_the_page():
    ours = backup_directories
    assert first_cells("Backups") == [ours.MANIFEST, ours.STATE, ours.AUDIO]
