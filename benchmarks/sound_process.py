"""One process that purifies and splits one long recording, and prints what that took."""

from __future__ import annotations

import json
import resource
import sys
import time
import wave
from pathlib import Path

from orchard.ports import audio

PAUSE_S = 0.7


def main(clips: Path, minutes: int, folder: Path) -> None:
    """Join the clips to a recording of so many minutes, then purify and split it."""
    source = _build(clips, minutes, folder / "source.wav")
    start = time.perf_counter()
    clean = folder / "clean.wav"
    audio.purify(source, clean, noise_reduction=True, progress=lambda share: None)
    cut = audio.split(clean, folder, lambda index, path: None, progress=lambda share: None)
    seconds = time.perf_counter() - start
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_mb": peak_kb / 1024, "chunks": len(cut.spans)}))


def _build(clips: Path, minutes: int, path: Path) -> Path:
    sounds = []
    for clip in sorted(clips.glob("*.wav")):
        with wave.open(str(clip)) as file:
            rate = file.getframerate()
            sounds.append(file.readframes(file.getnframes()) + bytes(2 * int(PAUSE_S * rate)))
    with wave.open(str(path), "wb") as joined:
        joined.setparams((1, 2, rate, 0, "NONE", ""))
        written, number = 0, 0
        while written < minutes * 60 * rate * 2:
            sound = sounds[number % len(sounds)]
            joined.writeframesraw(sound)
            written, number = written + len(sound), number + 1
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
