"""Bring a recording to 16 kHz mono on its own timeline, with less noise if it is noisy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from orchard.ports.audio import decoding, wav
from orchard.ports.audio.decoding import AudioInfo, Source
from orchard.ports.audio.noise import NOISY_DB, NoiseFilter, NoiseMeter
from orchard.ports.audio.placing import RATE

_DECODING = 0.8
"""Share of the work that is decoding; the rest is filtering, if it comes to that."""


def purify(
    source: Source, destination: Path, *, noise_reduction: bool, progress: Callable[[float], None]
) -> AudioInfo:
    """Write a recording as WAV, 16 kHz mono, each sound at the time it has in the source.

    With ``noise_reduction`` a recording whose voices hardly stand out of the noise
    is filtered; a clean one stays as it is to the sample. Answers what the
    source is, with its exact duration. ``progress`` hears how far it is (0 to 1).

    Raises:
        UnreadableAudio: the source is not a recording, or hardly any of it can be decoded.
    """
    meter = NoiseMeter()
    info = _convert(source, destination, meter, lambda share: progress(share * _DECODING))
    if noise_reduction and meter.stands_out_db() < NOISY_DB:
        _reduce_noise(destination, lambda share: progress(_DECODING + (1 - _DECODING) * share))
    progress(1.0)
    return info


def _convert(
    source: Source, destination: Path, meter: NoiseMeter, progress: Callable[[float], None]
) -> AudioInfo:
    with decoding.opened(source) as (container, stream), wav.created(destination) as written:
        for samples in decoding.blocks(container, stream, progress):
            meter.hear(samples)
            written.write(samples.tobytes())
        return decoding.describe(container, stream, wav.to_ms(written.samples))


def _reduce_noise(path: Path, progress: Callable[[float], None]) -> None:
    """Filter a WAV file in place."""
    filtered = path.with_name(f"{path.name}.filtered")
    noise_filter = NoiseFilter()
    with wav.opened(path) as file, wav.created(filtered) as written:
        length = file.getnframes()
        for pcm in wav.read_blocks(file, length, RATE):
            for samples in noise_filter.filter(np.frombuffer(pcm, np.int16)):
                written.write(samples.tobytes())
            progress(written.samples / length)
        for samples in noise_filter.finish():
            written.write(samples.tobytes())
    filtered.replace(path)
