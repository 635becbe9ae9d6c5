"""Whisper on CTranslate2, on the CPU: the default transcriber."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faster_whisper import WhisperModel

from orchard.transcribers.base import (
    NOTHING_SPECIAL,
    Options,
    Progress,
    TranscriberFailed,
    Transcription,
    Wishes,
    Word,
    ignore_progress,
)
from orchard.transcribers.bundled_model import NAME, find_bundled_model
from orchard.transcribers.judging import Figures, judge
from orchard.transcribers.onsets import date_onsets, read_levels
from orchard.transcribers.pauses import split_at_pauses

_VAD = {"min_silence_duration_ms": 500, "speech_pad_ms": 200}
"""What of a chunk is heard at all: whisper invents words where nobody speaks."""


_CAREFUL: dict[str, Any] = {
    # Neither prompt nor hot words: they are what is said again and again where nobody speaks.
    "vad_parameters": _VAD | {"threshold": 0.6},
    "no_repeat_ngram_size": 5,
    "repetition_penalty": 1.1,
    "hallucination_silence_threshold": 2.0,
}
"""How a chunk is heard whose text was doubtful: rather no words than invented ones."""


class FasterWhisper:
    """A loaded whisper model."""

    def __init__(self, model: WhisperModel, name: str) -> None:
        self._model = model
        self._name = name

    def transcribe(
        self, wav: Path, language: str = "", progress: Progress = ignore_progress,
        wishes: Wishes = NOTHING_SPECIAL,
    ) -> Transcription:  # fmt: skip
        """The words in a WAV file; see :class:`Transcriber`."""
        if language and not self._model.model.is_multilingual and language != "en":
            raise TranscriberFailed(f"the model {self._name} knows English only, not {language!r}")
        segments, info = self._model.transcribe(
            str(wav), language=language or None, beam_size=5, vad_filter=True,
            word_timestamps=True,
            # One wrong line must not lead to the next: loops start that way.
            condition_on_previous_text=False,
            **(_CAREFUL if wishes.careful else _usual(wishes)),
        )  # fmt: skip
        words: list[Word] = []
        judged: list[Figures] = []
        for one in segments:  # whisper works while this loop asks for more
            words += [_word(word) for word in one.words or ()]
            judged += [_figures(one)] * len(one.words or ())
            progress(min(1.0, float(one.end) / max(info.duration, 0.001)))
        heard = judge(split_at_pauses(date_onsets(words, read_levels(wav))), judged)
        return Transcription(
            text=" ".join(segment.text for segment in heard), segments=heard,
            language=info.language, model=self._name,
        )  # fmt: skip


def load(options: Options) -> FasterWhisper:
    """The model of the options, or the bundled one.

    Raises:
        TranscriberFailed: it cannot be loaded.
    """
    name = options.model or NAME
    where = options.model or str(find_bundled_model())
    try:
        model = WhisperModel(
            where, device="cpu", compute_type="int8", cpu_threads=options.threads,
            # The bundled model is complete; nothing is looked up on a hub for it.
            local_files_only=not options.model or Path(where).is_dir(),
        )  # fmt: skip
    except Exception as fault:  # the library raises whatever its parts raise
        raise TranscriberFailed(f"the model {name} cannot be loaded: {fault}") from fault
    return FasterWhisper(model, name)


def _usual(wishes: Wishes) -> dict[str, Any]:
    return {
        "vad_parameters": _VAD,
        "initial_prompt": wishes.prompt or None,
        "hotwords": " ".join(wishes.hot_words) or None,
    }


def _figures(segment: Any) -> Figures:
    return Figures(
        avg_logprob=round(float(segment.avg_logprob), 3),
        no_speech_prob=round(float(segment.no_speech_prob), 3),
        compression_ratio=round(float(segment.compression_ratio), 3),
    )


def _word(word: Any) -> Word:
    # The library's numbers are numpy's, which JSON does not know.
    start, end, sure = float(word.start), float(word.end), float(word.probability)
    return Word(
        start_ms=round(start * 1000), end_ms=round(end * 1000), text=word.word,
        confidence=round(sure, 3),
    )  # fmt: skip
