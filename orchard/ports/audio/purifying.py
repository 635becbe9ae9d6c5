"""Bring a recording to 16 kHz mono on its own timeline, with less noise if wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchard.ports.audio import decoding, wav
from orchard.ports.audio.decoding import AudioInfo, Source


def purify(
    source: Source, destination: Path, *, noise_reduction: bool, progress: Callable[[float], None]
) -> AudioInfo:
    """Write a recording as WAV, 16 kHz mono, each sound at the time it has in the source.

    Answers what the source is, with its exact duration. ``progress`` hears how
    far it is (0 to 1).

    Raises:
        UnreadableAudio: the source is not a recording, or hardly any of it can be decoded.
    """
    with decoding.opened(source) as (container, stream), wav.created(destination) as written:
        for samples in decoding.blocks(container, stream, progress):
            written.write(samples.tobytes())
        progress(1.0)
        return decoding.describe(container, stream, wav.to_ms(written.samples))
