"""A longer recording needs no more memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import recordings

PROCESS = """
import re, sys
from pathlib import Path
from orchard.ports import audio
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
audio.purify(source, folder / "clean.wav", noise_reduction=True, progress=lambda _: None)
cut = audio.split(folder / "clean.wav", folder, lambda *_: None, progress=lambda _: None)
# Not ru_maxrss: what a process starts with there is the size of the one that started it.
peak_kb = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(cut.duration_ms, len(cut.spans), peak_kb)
"""


def measure(samples, minutes, folder):
    """Length in minutes and peak memory in MB of a process that purifies and splits."""
    times = round(minutes * 60 / (len(samples) / recordings.RATE))
    source = recordings.write_wav(samples, folder / "long.wav", times=times)
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, str(source), str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    duration_ms, chunks, peak_kb = map(int, done.stdout.split())
    assert duration_ms / 60_000 == pytest.approx(minutes, rel=0.1)
    assert chunks >= minutes * 0.5
    return peak_kb / 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_thirty_minutes_need_no_more_memory_than_three(tmp_path):
    """Goal 8: 10 hours at most 1.1 times as much as 1 hour, and never over 150 MB."""
    speech = recordings.build([0.8, 1.0, 0.5, 3.0, 0.7] * 2).samples
    noisy = recordings.add_noise(speech, "white", 5)
    short, long = measure(noisy, 3, tmp_path), measure(noisy, 30, tmp_path)
    assert long <= 150
    assert long <= 1.1 * short
