"""docs/benchmarks.md shows the figures that were measured, and tells of every row."""

from __future__ import annotations

import re

from benchmarks import page, plan
from benchmarks.comparing import read_run
from benchmarks.peers import __main__ as peers
from benchmarks.rows import make_row
from benchmarks.verdicts import why

TEXT = (plan.ROOT / "docs" / "benchmarks.md").read_text("utf-8")


def test_the_table_is_that_of_the_recorded_figures():
    shown = TEXT.split("<!-- figures -->\n")[1].split("<!-- end of figures -->")[0]
    assert shown.strip() == page.table(read_run(page.FIGURES)).strip()


def test_every_row_is_told_of_and_has_a_figure():
    section = TEXT.split("## Rows\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| (\d+|state) \|", section, re.MULTILINE)) == set(plan.ROWS)
    assert {one.row for one in read_run(page.FIGURES).rows} - {"promise"} >= set(plan.ROWS) - {
        "state"
    }


def test_a_figure_that_misses_its_goal_says_why():
    missed = [one for one in read_run(page.FIGURES).rows if not one.holds]
    assert missed
    assert [one.name for one in missed if not why(one.row, one.name)] == []
    (row,) = [make_row("1", "claim", [2.0], "x GET", 1.35)]
    assert "round trips" in row.shape()["why"]
    assert "why" not in make_row("1", "claim", [1.0], "x GET", 1.35).shape()


def test_every_option_on_the_page_is_one_of_the_commands():
    from django.core.management import load_command_class

    options = load_command_class("orchard", "bench").create_parser("", "bench").format_help()
    options += peers.parser().format_help()
    assert [
        name for name in set(re.findall(r"(?<!-)--[a-z][a-z-]*", TEXT)) if name not in options
    ] == []
