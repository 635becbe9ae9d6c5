"""Read and write WAV files of 16 kHz mono, a block at a time."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchard.ports.audio.errors import UnreadableAudio
from orchard.ports.audio.placing import RATE

_MOST_SAMPLES = (2**32 - 1024) // 2


class WavWriter:
    """A WAV file that grows."""

    def __init__(self, file: wave.Wave_write) -> None:
        self._file = file
        self.samples = 0
        """How many samples it has by now."""

    def write(self, pcm: bytes) -> None:
        """Add 16-bit samples.

        Raises:
            UnreadableAudio: the recording is longer than a WAV file can be (37 hours).
        """
        self.samples += len(pcm) // 2
        if self.samples > _MOST_SAMPLES:
            raise UnreadableAudio("the recording is longer than 37 hours")
        self._file.writeframesraw(pcm)


@contextmanager
def created(path: Path) -> Iterator[WavWriter]:
    """A new WAV file, complete when the block ends."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        yield WavWriter(file)


@contextmanager
def opened(path: Path) -> Iterator[wave.Wave_read]:
    """A WAV file that this package wrote."""
    with wave.open(str(path), "rb") as file:
        yield file


def read_blocks(file: wave.Wave_read, samples: int, block: int) -> Iterator[bytes]:
    """The next ``samples`` samples, at most ``block`` at a time."""
    while samples > 0 and (pcm := file.readframes(min(block, samples))):
        samples -= len(pcm) // 2
        yield pcm


def to_samples(ms: int) -> int:
    """How many samples so many milliseconds are."""
    return ms * RATE // 1000


def to_ms(samples: int) -> int:
    """How many milliseconds so many samples are, the last one begun included."""
    return -(-samples * 1000 // RATE)
