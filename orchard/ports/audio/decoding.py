"""Decode any recording to 16 kHz mono on its true timeline, a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import av
import msgspec
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from orchard.ports.audio.errors import UnreadableAudio, explain
from orchard.ports.audio.placing import Samples, Timeline

Source = IO[bytes] | Path

# A playlist or a script of parts would make the decoder open other files and addresses.
_FORMATS = "wav,w64,mp3,mov,ogg,flac,matroska,aac,aiff,amr,asf,avi,caf,au,mpeg,mpegts,flv"


class AudioInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording is."""

    duration_ms: int
    sample_rate: int
    channels: int
    codec: str
    format: str


def probe(source: Source) -> AudioInfo:
    """Find out what a recording is, and that its sound can be decoded at all.

    Raises:
        UnreadableAudio: it is not a recording; the message says why.
    """
    with opened(source) as (container, stream):
        next(_frames(container, stream))
        return describe(container, stream, _duration_ms(container, stream))


@contextmanager
def opened(source: Source) -> Iterator[tuple[InputContainer, AudioStream]]:
    """A recording and the one of its sound tracks that a player would choose.

    Raises:
        UnreadableAudio: it is not a recording, or has no sound.
    """
    if isinstance(source, Path):
        with source.open("rb") as stream, opened(stream) as found:
            yield found
        return
    if not source.seek(0, 2):
        raise UnreadableAudio("the file is empty")
    source.seek(0)
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
    try:
        with av.open(source, "r", options=options) as container:
            yield container, _best_track(container)
    except av.FFmpegError as fault:
        raise explain(fault) from fault


def describe(container: InputContainer, stream: AudioStream, duration_ms: int) -> AudioInfo:
    """What a recording says of itself, with a duration that was found out."""
    return AudioInfo(
        duration_ms=duration_ms, sample_rate=stream.codec_context.sample_rate,
        channels=stream.codec_context.channels, codec=stream.codec_context.name,
        format=container.format.name,
    )  # fmt: skip


def blocks(
    container: InputContainer, stream: AudioStream, progress: Callable[[float], None]
) -> Iterator[Samples]:
    """The sound as 16 kHz mono, each sample at its place on the timeline of the recording.

    Where the timestamps say that sound is missing there is silence, where they
    overlap something is left out. ``progress`` hears how far it is (0 to 1).

    Raises:
        UnreadableAudio: hardly anything of it can be decoded.
    """
    length_s = _length_s(container)
    timeline = Timeline(_origin_s(container, stream), length_s)
    for frame in _frames(container, stream):
        yield from timeline.place(frame)
        progress(min(1.0, timeline.reached_s / length_s) if length_s else 0.0)
    yield from timeline.finish()


def _best_track(container: InputContainer) -> AudioStream:
    track = container.streams.best("audio")
    if not isinstance(track, AudioStream):
        raise UnreadableAudio("the file has no sound")
    if track.codec_context is None:
        raise UnreadableAudio("the sound of the file is in a form that cannot be decoded")
    return track


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Everything that can be decoded; damaged packets are left out, up to a half.

    A file that was cut off in the middle is a good recording up to there.
    """
    good, damaged, reason = 0, 0, UnreadableAudio("the file has no sound")
    for packet in _packets(container, stream):
        try:
            decoded = stream.decode(packet)
        except av.FFmpegError as fault:
            damaged, reason = damaged + 1, explain(fault)
            continue
        good += bool(decoded)
        yield from decoded
    if damaged >= good:
        raise reason


def _packets(
    container: InputContainer, stream: AudioStream
) -> Iterator[av.Packet[AudioStream] | None]:
    try:
        yield from container.demux(stream)
    except av.FFmpegError as fault:
        # Where a file was cut off, reading ends; the decoder still has a frame to give.
        if not isinstance(fault, av.EOFError | av.InvalidDataError):
            raise
        yield None


def _origin_s(container: InputContainer, stream: AudioStream) -> float:
    """The time that a player shows as 0, which may be before the sound begins."""
    videos = [one for one in container.streams.video if not _is_cover(one)]
    tracks: list[AudioStream | VideoStream] = [stream, *videos]
    starts = [_seconds(one.start_time, one) for one in tracks if one.start_time is not None]
    return min(starts, default=0.0)


def _seconds(ticks: int, track: AudioStream | VideoStream) -> float:
    return float(ticks * track.time_base) if track.time_base else 0.0


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _length_s(container: InputContainer) -> float:
    """What the file says of its length, in seconds; 0 when it does not."""
    return max(0.0, (container.duration or 0) / av.time_base)


def _duration_ms(container: InputContainer, stream: AudioStream) -> int:
    if length_s := _length_s(container):
        return round(length_s * 1000)
    # A recording that was streamed to a file does not know its length; its last packet does.
    ends = [(one.pts or 0) + (one.duration or 0) for one in container.demux(stream) if one.size]
    last_s = _seconds(max(ends, default=0), stream)
    return round((last_s - _origin_s(container, stream)) * 1000)
