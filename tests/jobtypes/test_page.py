"""The example of the page of job types, run as it stands there."""

from __future__ import annotations

import hashlib
import io
import re
import sys
import zipfile
from pathlib import Path

import pytest

from orchard.agents.processors import parse_processors
from orchard.domain.errors import BadResult, InvalidInput
from orchard.domain.lifecycle import JobStatus
from orchard.jobtypes.registry import type_names
from tests.jobtypes.conftest import forget
from tests.jobtypes.works import claim, complete, hand_in, process, see, work_on, worker

PAGE = Path(__file__).parents[2] / "docs" / "job-types.md"
FILES = {"a.txt": b"one", "folder/b.bin": bytes(range(256)) * 4000, "empty": b""}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _example(types, tmp_path, monkeypatch):
    page = PAGE.read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "checksums.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path / "code")
    types.setenv("ORCHARD_JOB_TYPES", re.findall(r"ORCHARD_JOB_TYPES=(\S+)", page)[0])
    forget()
    yield
    sys.modules.pop("checksums", None)


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.mkdir("folder")
        for name, content in FILES.items():
            made.writestr(name, content)
    return packed.getvalue()


def test_the_example_makes_the_checksums_that_it_promises(store, clock, tmp_path):
    (how,) = re.findall(r"--do (checksums=\S+)", PAGE.read_text())
    sum_up = parse_processors([how])["checksums"]
    job = hand_in(archive(), "photos.zip", job_type="checksums")
    work_on(clock, 1)
    worker("w1", "checksums")
    held = claim()
    assert held[0].chunk.facts == {"file": "folder/b.bin"}  # the longest comes first
    with pytest.raises(BadResult, match="not a SHA-256"):
        complete(held.pop(), "nonsense")
    clock.advance(10)
    for one in (*held, *claim()):
        process(one, sum_up, tmp_path)
    work_on(clock, 1)
    done = see(job)
    assert (done.status, done.result.output) == (JobStatus.COMPLETED, "SHA256SUMS")
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in FILES.items()]
    assert done.result.text.split("\n") == sums


def test_the_example_refuses_what_is_no_archive(store):
    assert "checksums" in type_names()
    with pytest.raises(InvalidInput, match="file: not a zip archive"):
        hand_in(b"PK, or so", "photos.zip", job_type="checksums")
