"""What can be wrong with sound."""

from __future__ import annotations

import av


class UnreadableAudio(Exception):
    """The file cannot be read as sound; the message says why, in plain words."""


def explain(fault: av.FFmpegError) -> UnreadableAudio:
    """The decoder's own reason, as an error of ours."""
    return UnreadableAudio(f"the file cannot be read as sound: {fault.strerror or fault}")
