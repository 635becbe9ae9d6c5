"""Headers of WAV files: sound, or the reason why there is none."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.ports import audio
from tests.fuzz.shapes import damaged
from tests.fuzz.sizes import cases

wide = st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 2**31, 2**32 - 1, 16_000, 44_100])
short = st.integers(0, 2**16 - 1) | st.sampled_from([0, 1, 2, 8, 16, 24, 32, 0xFFFE, 0xFFFF])
SOUND = bytes(range(256)) * 40


@st.composite
def wav_files(draw) -> bytes:
    """A RIFF file whose numbers may be anything."""
    kind, channels, rate, bytes_s, block, bits = (
        draw(one) for one in (short, short, wide, wide, short, short)
    )
    if draw(st.booleans()):
        kind, channels, rate, bytes_s, block, bits = 1, 1, 16_000, 32_000, 2, 16
    form = struct.pack("<HHIIHH", kind, channels, rate, bytes_s, block, bits)
    chunks = [(b"fmt ", form), (b"data", SOUND[: draw(st.integers(0, len(SOUND)))])]
    chunks += draw(st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=30))))
    if draw(st.booleans()):
        chunks = draw(st.permutations(chunks))
    body = b"".join(
        name + struct.pack("<I", draw(st.just(len(raw)) | wide)) + raw for name, raw in chunks
    )
    return b"RIFF" + struct.pack("<I", draw(st.just(len(body) + 4) | wide)) + b"WAVE" + body


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sound") / "out.wav"


@cases(100)
@given(raw=wav_files() | wav_files().flatmap(damaged))
def test_any_wav_file_is_sound_or_refused_with_a_reason(place: Path, raw: bytes):
    with suppress(audio.UnreadableAudio):
        info = audio.probe(io.BytesIO(raw))
        assert info.duration_ms >= 0
    with suppress(audio.UnreadableAudio):
        audio.purify(io.BytesIO(raw), place, noise_reduction=False, progress=lambda _: None)
