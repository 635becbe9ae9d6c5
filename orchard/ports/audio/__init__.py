"""Sound: decode any recording, clean it, find speech in it and cut it, in bounded memory.

What is named here is loaded when it is used first: decoder, arrays and speech
detector take 20 MB, and only a process with a recording at hand needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchard.ports.audio.decoding import AudioInfo, probe
    from orchard.ports.audio.errors import UnreadableAudio
    from orchard.ports.audio.purifying import purify
    from orchard.ports.audio.speech import Heard, speech_regions
    from orchard.ports.audio.splitting import Cut, split

__all__ = [
    "AudioInfo", "Cut", "Heard", "UnreadableAudio", "probe", "purify", "speech_regions", "split",
]  # fmt: skip

_HOMES = {
    "AudioInfo": "decoding", "probe": "decoding", "UnreadableAudio": "errors",
    "purify": "purifying", "Heard": "speech", "speech_regions": "speech",
    "Cut": "splitting", "split": "splitting",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
