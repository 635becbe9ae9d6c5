"""What the tests of sound have in common."""

from __future__ import annotations

import numpy as np

from tests.recordings import RATE, Samples


def ignore(_: float) -> None:
    """Take note of no progress."""


def lag_ms(found: Samples, original: Samples) -> float:
    """How much later the same sound is in ``found``, in milliseconds, to the sample."""
    size = 1 << (len(found) + len(original)).bit_length()
    spectrum = np.fft.rfft(found, size) * np.conj(np.fft.rfft(original, size))
    at = int(np.argmax(np.fft.irfft(spectrum)))
    return (at - size if at > size // 2 else at) * 1000 / RATE
