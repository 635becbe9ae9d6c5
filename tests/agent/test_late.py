"""A transcriber that is loaded late, and what becomes of the chunk when it cannot be."""

from __future__ import annotations

import pytest

from orchard.transcribers import load
from orchard.transcribers.base import Options, TranscriberFailed, Transcription
from orchard.transcribers.late import LateTranscriber, NotLoaded


class Parrot:
    """Says the language it is asked for."""

    def transcribe(self, wav, language="", progress=print):
        return Transcription(text=language, segments=(), language=language, model="parrot")


def test_a_transcriber_is_loaded_with_the_first_chunk_and_only_once(tmp_path):
    loaded = []
    late = LateTranscriber(lambda: loaded.append(1) or Parrot())
    assert loaded == []
    assert [late.transcribe(tmp_path, word).text for word in ("en", "ja")] == ["en", "ja"]
    assert loaded == [1]


def test_a_transcriber_that_cannot_be_loaded_says_so_and_is_tried_again(tmp_path):
    late = LateTranscriber(lambda: load("unheard_of", Options()))
    for _ in range(2):
        with pytest.raises(NotLoaded, match="unheard_of"):
            late.transcribe(tmp_path)


def test_what_a_loaded_transcriber_cannot_hear_is_no_fault_of_loading(tmp_path):
    class Deaf(Parrot):
        def transcribe(self, wav, language="", progress=print):
            raise TranscriberFailed("noise")

    with pytest.raises(TranscriberFailed, match="noise") as caught:
        LateTranscriber(Deaf).transcribe(tmp_path)
    assert not isinstance(caught.value, NotLoaded)
