"""How evenly jobs fall on partitions: simulated with the placement of production."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest

from benchmarks.balance import (
    GOAL,
    HOLDS_FROM,
    LOADS,
    PARTITIONS,
    PICTURE,
    Balance,
    imbalance,
    on_machines,
    simulate,
    spread_chunks,
)
from benchmarks.balance_picture import draw
from orchard import keys
from orchard.domain.chunks import chunk_id
from orchard.placement import LAYOUT
from orchard.services.submissions import CANDIDATES


@pytest.mark.parametrize("load", LOADS)
def test_with_many_jobs_at_once_64_partitions_are_even(load):
    waiting = spread_chunks(HOLDS_FROM[load], LOADS[load], seed=1)
    assert len(waiting) == PARTITIONS
    assert imbalance(waiting) <= GOAL


def test_with_few_jobs_they_are_not_and_the_page_says_so():
    assert imbalance(spread_chunks(300, LOADS["20 to 1,000, evenly"], seed=1)) > GOAL


def test_four_machines_share_64_partitions_evenly_long_before_the_partitions_are_even():
    waiting = spread_chunks(1_000, LOADS["20 to 1,000, evenly"], seed=1)
    shares = on_machines(waiting, 4)
    assert sum(shares) == sum(waiting)
    assert imbalance(shares) <= GOAL < imbalance(waiting)


def test_the_simulation_counts_every_chunk_where_production_keeps_it():
    dice = random.Random(7)
    names = [f"{dice.getrandbits(64):016x}" for _ in range(CANDIDATES)]
    chunk = chunk_id(names[0], 0)  # nothing was given yet, so the first is taken
    place = LAYOUT.place_of_member(keys.CHUNK_QUEUE, chunk, PARTITIONS)
    waiting = spread_chunks(1, LOADS["all of 120"], seed=7)
    assert waiting[place] == sum(waiting) == 120


def test_the_same_seeds_give_the_same_balance():
    assert list(simulate(2, (100,))) == list(simulate(2, (100,)))


def test_the_picture_is_an_svg_with_a_line_for_each_load_and_reads_on_dark_pages():
    seen = [Balance(load, jobs, 1.5, 2.0) for load in LOADS for jobs in (100, 1_000)]
    picture = ElementTree.fromstring(draw(seen, GOAL, PARTITIONS))
    assert len(picture.findall("{*}polyline")) == len(LOADS)
    kept = PICTURE.read_text()
    assert "prefers-color-scheme:dark" in kept
    assert all(f">{load}<" in kept for load in LOADS)
