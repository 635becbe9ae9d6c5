"""Sound: decode any recording, clean it, find speech in it and cut it, in bounded memory."""

from __future__ import annotations

from orchard.ports.audio.decoding import AudioInfo, probe
from orchard.ports.audio.errors import UnreadableAudio
from orchard.ports.audio.purifying import purify
from orchard.ports.audio.speech import Heard, speech_regions
from orchard.ports.audio.splitting import Cut, split

__all__ = [
    "AudioInfo", "Cut", "Heard", "UnreadableAudio", "probe", "purify", "speech_regions", "split",
]  # fmt: skip
