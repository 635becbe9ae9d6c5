"""Files that are no recordings are refused in plain words; damaged ones give what they have."""

from __future__ import annotations

import contextlib
import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.ports import audio
from tests import recordings
from tests.audio.sound import ignore, lag_ms
from tests.fuzz.sizes import cases


@pytest.fixture(scope="module")
def mp3(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("mp3") / "sound.mp3"
    return recordings.encode(recordings.build([1.0] * 3).samples, path).read_bytes()


def refused(content: bytes, folder) -> str:
    """Why probing refuses this, which must be why purifying does."""
    with pytest.raises(audio.UnreadableAudio) as probing:
        audio.probe(io.BytesIO(content))
    with pytest.raises(audio.UnreadableAudio) as purifying:
        audio.purify(io.BytesIO(content), folder / "o.wav", noise_reduction=False, progress=ignore)
    assert str(probing.value) == str(purifying.value)
    return str(probing.value)


def test_an_empty_file_is_refused(tmp_path):
    assert refused(b"", tmp_path) == "the file is empty"


@pytest.mark.parametrize(
    "content",
    [
        b"Just some notes.\n" * 500,
        bytes(20_000),
        b"%PDF-1.7\n" + b"x" * 9_000,
        b"<html>" + b"<p>no</p>" * 900,
        np.random.default_rng(0).bytes(50_000),
    ],
    ids=["text", "zeros", "pdf", "html", "random"],
)
def test_what_is_no_recording_is_refused_with_the_decoders_reason(content, tmp_path):
    assert refused(content, tmp_path).startswith("the file cannot be read as sound: ")


def test_a_video_without_sound_is_refused(tmp_path):
    path = recordings.encode_picture(tmp_path / "silent.mp4")
    assert refused(path.read_bytes(), tmp_path) == "the file has no sound"


def test_a_truncated_mp3_gives_the_sound_up_to_its_end(mp3, tmp_path):
    info = audio.purify(
        io.BytesIO(mp3[: len(mp3) // 2]), tmp_path / "o.wav", noise_reduction=False,
        progress=ignore,
    )  # fmt: skip
    samples = recordings.read_wav(tmp_path / "o.wav")
    whole = recordings.build([1.0] * 3)
    assert 0.4 < info.duration_ms / whole.duration_ms < 0.6
    assert abs(lag_ms(samples, whole.samples[: len(samples)])) <= 2


def test_damage_in_the_middle_moves_nothing_after_it(tmp_path):
    """A file with timestamps keeps its times; an mp3 has none and loses what is damaged."""
    whole = recordings.build([1.0] * 3).samples
    content = bytearray(recordings.encode(whole, tmp_path / "sound.m4a").read_bytes())
    at = len(content) // 3
    content[at : at + 3_000] = b"\xff" * 3_000
    audio.purify(io.BytesIO(content), tmp_path / "o.wav", noise_reduction=False, progress=ignore)
    tail = slice(len(whole) // 2, None)
    assert abs(lag_ms(recordings.read_wav(tmp_path / "o.wav")[tail], whole[tail])) <= 2


def test_a_playlist_opens_no_other_file_and_no_address(tmp_path):
    """An upload must not make the master fetch addresses inside its network."""
    asked = []

    class Spy(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Spy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secret = recordings.write_wav(recordings.silence(1), tmp_path / "secret.wav")
    for address in (f"http://127.0.0.1:{server.server_port}/x.ts", secret.as_uri(), str(secret)):
        for text in (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile '{address}'\n",
        ):
            refused(text.encode(), tmp_path)
    server.shutdown()
    server.server_close()
    assert asked == []


@cases(60, share=0.1)
@given(
    cut=st.floats(0, 1),
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 50), st.binary(max_size=50))),
)
def test_no_damage_leads_to_anything_but_sound_or_a_reason(cut, damage, mp3, tmp_path):
    """Whatever bytes are changed, cut off or put in, the answer is clear."""
    content = bytearray(mp3[: int(cut * len(mp3))])
    for share, length, put in damage:
        at = int(share * len(content))
        content[at : at + length] = put
    with contextlib.suppress(audio.UnreadableAudio):
        audio.purify(io.BytesIO(content), tmp_path / "o.wav", noise_reduction=True, progress=ignore)
