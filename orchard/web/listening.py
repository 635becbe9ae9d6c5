"""The sound of a job for the player of its page: a file that a browser can jump in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse

from orchard.byte_ranges import Blocks, Unsatisfiable, parse_range
from orchard.domain.errors import UnknownChunk
from orchard.services import queries, run, sounds
from orchard.web.access import page

PLAYABLE = {
    ".wav": "audio/wav", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg",
    ".opus": "audio/ogg", ".flac": "audio/flac", ".webm": "audio/webm", ".mp4": "video/mp4",
}  # fmt: skip
"""What browsers play; anything else is heard as the cleaned sound, once there is one."""


@page
def job_audio(request: HttpRequest, job_id: str) -> Any:
    """The recording, whole or the part that is asked for (RFC 9110 section 14).

    Answers 404 when there is no sound that a browser can play (yet), and 416
    for a part that there is not.
    """
    view = run(queries.get_job(job_id))
    kind = PLAYABLE.get(Path(view.job.source).suffix.lower())
    try:
        stream, size = sounds.open_recording(view.job, cleaned=kind is None)
    except UnknownChunk:
        raise Http404 from None
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, no-store"}
    kind = kind or "audio/wav"
    try:
        asked = parse_range(request.headers.get("Range", ""), size)
    except Unsatisfiable:
        stream.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = asked or (0, size - 1)
    headers["Content-Length"] = str(last - first + 1)
    if asked:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    blocks = Blocks(stream, first, last)
    status = 206 if asked else 200
    return StreamingHttpResponse(blocks, status=status, content_type=kind, headers=headers)
