"""The comparison with others says of speed what was measured."""

from __future__ import annotations

import re

from tests.docs.test_docs import read, rows


def test_the_figures_of_the_comparison_are_those_of_the_bench():
    measured = read("benchmarks.md").split("<!-- peers -->")[1].split("<!-- end of peers -->")[0]
    figures = {row[0]: row[2].strip("*") for row in rows(measured)[2:]}
    told = read("comparison.md").split("| | × GET rate |\n")[1].split("\n\n")[0]
    shown = {row[0]: row[1] for row in rows(told)[1:]}
    assert shown == figures
    assert list(shown.values()) == sorted(shown.values(), key=float, reverse=True)


def test_the_comparison_names_every_peer_that_was_measured():
    page = read("comparison.md")
    measured = read("benchmarks.md").split("<!-- peers -->")[1].split("<!-- end of peers -->")[0]
    peers = {re.split("[, ]", row[0])[0] for row in rows(measured)[2:]}
    assert [name for name in peers if f"{name} |" not in page] == []
