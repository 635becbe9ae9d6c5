"""The table of faults (each at random moments under load): nothing lost, nothing counted twice.

A short storm in every test run, a long one with ``make soak``. The seed is shown
when something is wrong; ``SOAK_SEED=…`` chooses the same moments again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.sizes import Size
from tests.faults.storm_faults import REPAIRED, ROWS
from tests.faults.storms import Storm, storm

SIZE = Size.chosen()


@pytest.fixture(scope="module")
def orchard_in_storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    """One orchard for all rows: each row has to leave it as good as new."""
    with storm(tmp_path_factory.mktemp("storm"), SIZE) as one:
        yield one


@pytest.mark.timeout(2 * SIZE.patience_s + 60 * SIZE.rounds)
@pytest.mark.parametrize("row", ROWS)
def test_nothing_is_lost(row: str, orchard_in_storm: Storm, settings):
    settings.MEDIA_ROOT = orchard_in_storm.orchard.data / "media"
    late = orchard_in_storm.late_reports

    def fault() -> None:
        ROWS[row](orchard_in_storm)

    complaints = orchard_in_storm.blow(fault, repaired=row in REPAIRED)
    assert complaints == [], f"SOAK_SEED={SIZE.seed}"
    if row == "network cut longer than a lease":
        assert orchard_in_storm.late_reports > late, "no report came late"
    still = {name: one.poll() for name, one in orchard_in_storm.orchard.processes.items()}
    assert set(still.values()) == {None}, still
