"""What is healthy is called healthy."""

from __future__ import annotations

import pytest

from orchard.doctor.examining import examine
from tests.doctor import worlds


@pytest.mark.usefixtures("store")
def test_a_world_with_something_of_everything_is_healthy(store):
    worlds.make()
    report = examine(store, pause_s=0)
    assert report.findings == []
    assert report.looked_at["keys"] > 30
    assert report.looked_at["list entries"] > 20
    assert report.looked_at["folders"] == 6
