"""Transcribers: what turns the sound of a chunk into words. Chosen by name, loaded when used."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from orchard.transcribers.base import Options, Transcriber, UnknownTranscriber

NAMES = ("faster_whisper", "pocketsphinx", "http")
"""Every transcriber there is, the default first."""


def load(name: str, options: Options) -> Transcriber:
    """The transcriber of this name, ready to work. Only its own libraries are imported.

    Raises:
        UnknownTranscriber: there is none of this name.
        TranscriberFailed: its model cannot be loaded.
    """
    if name not in NAMES:
        raise UnknownTranscriber(f"{name!r} is no transcriber; allowed: {', '.join(NAMES)}")
    module = import_module(f"orchard.transcribers.{name}_engine")
    return cast("Transcriber", module.load(options))
