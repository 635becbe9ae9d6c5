"""What the bench says of a run beside a recorded one, and what it prints."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from benchmarks import plan
from benchmarks.comparing import compare, read_run
from benchmarks.rows import Row, make_row

RECORDED = Path(plan.ROOT) / "benchmarks" / "recorded.json"


def row(value: float, unit: str = "x GET", *, at_most: bool = True, name: str = "claim") -> Row:
    return make_row("1", name, [value], unit, 1.0, at_most=at_most)


def recorded(folder: Path, *rows: Row) -> Path:
    path = folder / "run.json"
    path.write_text(json.dumps({"machine": "a", "rows": [one.shape() for one in rows]}))
    return path


@pytest.mark.parametrize(
    ("before", "now", "at_most", "verdict"),
    [
        (2.0, 2.1, True, "same"),
        (2.0, 2.6, True, "worse"),
        (2.0, 3.1, True, "much worse"),
        (2.0, 1.0, True, "better"),
        (2.0, 1.0, False, "much worse"),
        (2.0, 1.4, False, "worse"),
        (2.0, 2.5, False, "better"),
        (0.0, 0.0, True, "same"),
        (0.0, 1.0, True, "much worse"),
    ],
)
def test_a_row_is_better_or_worse_than_before(tmp_path, before, now, at_most, verdict):
    run = read_run(recorded(tmp_path, row(before, at_most=at_most)))
    assert [one.verdict for one in compare([row(now, at_most=at_most)], run)] == [verdict]


def test_figures_that_depend_on_the_machine_are_never_a_fault(tmp_path):
    run = read_run(recorded(tmp_path, row(10.0, "ms")))
    assert [one.verdict for one in compare([row(90.0, "ms")], run)] == ["worse"]


def test_rows_that_only_one_run_has_are_not_compared(tmp_path):
    run = read_run(recorded(tmp_path, row(1.0), row(1.0, name="older")))
    assert [one.row.name for one in compare([row(1.0), row(1.0, name="newer")], run)] == ["claim"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"machine": "a", "rows": [{"row": 1}]}', "\x00", '{"rows": 5}']
)
def test_a_file_that_is_no_run_is_said_so_before_anything_is_measured(tmp_path, content):
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(CommandError, match=r"run\.json is no recorded run of the bench"):
        call_command("bench", compare=path)
    with pytest.raises(CommandError, match="nothing is no recorded run"):
        call_command("bench", compare=tmp_path / "nothing")


def test_a_run_that_is_much_worse_fails_and_names_the_rows(tmp_path):
    path = recorded(tmp_path, make_row("6", CHUNK, [1.0], "x GET", 1.0), row(0.001, name="claim"))
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="worse by more than half: claim"):
        call_command(
            "bench", "--rows", "1", "--count", "10", "--json", compare=path, stdout=out, stderr=err
        )
    told = json.loads(out.getvalue())
    assert list(told) == ["machine", "rows"]
    always = ["row", "name", "value", "unit", "goal", "holds", "spread"]
    for one in told["rows"]:
        assert list(one) == (always if one["holds"] else [*always, "why"])
    assert "much worse     1  claim: 0.001 -> " in err.getvalue()


def test_a_run_with_nothing_in_common_is_said_so(tmp_path):
    with pytest.raises(CommandError, match="has none of these rows"):
        call_command(
            "bench", "--rows", "6", "--count", "10", compare=recorded(tmp_path), stderr=StringIO(),
            stdout=StringIO(),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value"),
    [("--count", "9"), ("--count", "many"), ("--minutes", "0"), ("--seconds", "-1"),
     ("--rows", "99")],
)  # fmt: skip
def test_a_wrong_option_is_said_so(option, value):
    with pytest.raises(CommandError, match=option):
        call_command("bench", option, value)


CHUNK = "engine memory of a waiting chunk"


def test_the_recorded_run_has_every_ratio_of_a_short_one():
    kept = {(one.row, one.unit[:2]) for one in read_run(RECORDED).rows}
    assert {(name, "x ") for name in plan.SHORT - {"6"}} <= kept


def test_a_short_run_is_no_more_than_half_worse_than_the_recorded_one():
    """Other programs may keep a machine busy, so what is worse is measured again, up to five times.

    Only what is worse each time has become so.
    """
    run = read_run(RECORDED)
    open_rows, worse = set(plan.SHORT - {"6"}), None
    for _ in range(5):
        rows = list(plan.measure(plan.Wanted(rows=frozenset(open_rows), is_short=True)))
        found = {
            (one.row.row, one.row.name): one
            for one in compare(rows, run)
            if one.verdict == "much worse"
        }
        worse = found if worse is None else {at: found[at] for at in worse if at in found}
        open_rows = {row for row, _ in worse}
        if not open_rows:
            break
    assert worse == {}
