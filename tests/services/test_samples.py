"""Samples: what was waiting and done, for the charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchard.services import run, samples
from orchard.services.samples import Sample
from orchard.web.hour_charts import draw_bars, draw_line, per_minute
from tests.services import orchards

T0 = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


def test_a_sample_counts_what_was_done_since_the_one_before(store):
    cursor = run(samples.take_sample(""))
    orchards.processing(3)
    orchards.worker("w1")
    for claimed in orchards.claim("w1", 2):
        orchards.complete(claimed)
    cursor = run(samples.take_sample(cursor))
    run(samples.take_sample(cursor))
    first, second, third = run(samples.samples_since(0))
    assert (first.waiting, first.completed) == (0, 0)
    assert (second.waiting, second.working, second.completed) == (1, 0, 2)
    assert (second.workers, third.completed) == (1, 0)
    assert [one.completed_total for one in (first, second, third)] == [0, 2, 2]
    assert run(samples.last_sample()) == third
    assert run(samples.samples_since(4 * 10**12)) == []


def test_where_no_sample_was_taken_there_is_no_last_one(store):
    assert run(samples.last_sample()) is None


def sample(seconds: float, **values: int) -> Sample:
    given = {"waiting": 0, "working": 0, "workers": 0, "busy": 0} | values
    return Sample(at=T0 + timedelta(seconds=seconds), **given)


def test_an_hour_is_told_minute_by_minute():
    found = [
        sample(-4000, completed=9), sample(-65, completed=2),
        sample(-55, completed=3, waiting=7), sample(0, busy=2),
    ]  # fmt: skip
    minutes = per_minute(found, T0)
    assert len(minutes) == 60
    assert [one.completed for one in minutes[-3:]] == [0, 5, 0]
    assert (minutes[-2].waiting, minutes[-1].busy) == (7, 2)


def test_pictures_have_a_round_scale_that_nothing_exceeds():
    for values, top in (([], 1), ([0, 0], 1), ([3], 5), ([7, 12], 20), ([100], 100), ([101], 200)):
        assert draw_bars(values).top == top
        assert draw_line(values).top == top
    chart = draw_bars([0, 5, 10])
    assert chart.bars == [(200.0, 40.0, 40.0), (400.0, 0.0, 80.0)]
    assert draw_line([0, 10]).points == "0.0,80.0 600.0,0.0"
