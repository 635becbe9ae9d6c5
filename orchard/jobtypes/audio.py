"""Recordings: the type of jobs that is there from the first.

Their stages are the pipeline's own (:mod:`orchard.services.audio_stages`), because they
have one more (purifying), and times.
"""

from __future__ import annotations

from orchard.domain.orders import AUDIO


class Audio:
    """Recordings, which become transcripts."""

    name = AUDIO
    title = "Recording"
