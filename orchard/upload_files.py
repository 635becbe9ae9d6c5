"""Uploads on their way in: each is written to a file of its own, and a cut-off one is not kept."""

from __future__ import annotations

from contextlib import suppress

from django.core.files.uploadhandler import TemporaryFileUploadHandler


class WholeUploadHandler(TemporaryFileUploadHandler):
    """Django's handler for files, which leaves nothing when there is no room for the rest."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece.

        Raises:
            OSError: it cannot be written; what there was of the file is gone then.
        """
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError:
            with suppress(OSError):  # closing writes what is still to be written
                self.upload_interrupted()
            raise
