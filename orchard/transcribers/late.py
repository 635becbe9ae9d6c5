"""A transcriber that is loaded when the first chunk is there: an idle agent is a small one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchard.transcribers.base import (
    NOTHING_SPECIAL,
    Progress,
    Transcriber,
    TranscriberFailed,
    Transcription,
    Wishes,
    ignore_progress,
)


class NotLoaded(TranscriberFailed):
    """The transcriber cannot be loaded: its agent is of no use, and the chunk not to blame."""


class LateTranscriber:
    """Stands for a transcriber until it is needed."""

    def __init__(self, load: Callable[[], Transcriber]) -> None:
        self._load = load
        self._loaded: Transcriber | None = None

    def transcribe(
        self, wav: Path, language: str = "", progress: Progress = ignore_progress,
        wishes: Wishes = NOTHING_SPECIAL,
    ) -> Transcription:  # fmt: skip
        """The words in a WAV file; see :class:`Transcriber`.

        Raises:
            NotLoaded: there is no transcriber to be had.
        """
        if self._loaded is None:
            try:
                self._loaded = self._load()
            except (TranscriberFailed, ImportError) as fault:
                raise NotLoaded(str(fault)) from fault
        # One that knows of no wishes is not told that there are none.
        more = {} if wishes == NOTHING_SPECIAL else {"wishes": wishes}
        return self._loaded.transcribe(wav, language, progress, **more)
