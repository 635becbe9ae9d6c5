"""An object of a bucket as a stream: ranges are asked for as somebody reads and jumps."""

from __future__ import annotations

import io
import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchard.domain.errors import StorageAway

log = logging.getLogger("orchard.storage")

TRIES = 3
"""How often the rest is asked for again when a connection breaks."""


class ObjectReader(io.RawIOBase):
    """Reads one version of an object; a broken connection is taken up where it broke.

    Raises (at the start):
        ClientError: there is no such object.
    """

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        head = client.head_object(Bucket=bucket, Key=key)
        # A stage that is repeated writes its files anew: two versions are never read as one.
        self._wanted = {"Bucket": bucket, "Key": key, "IfMatch": head["ETag"]}
        self.size = int(head["ContentLength"])
        self._at = 0
        self._body: Any = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where reading goes on, in bytes from the start."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on somewhere else; costs nothing until somebody reads there."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        wanted = max(0, start + offset)
        if wanted != self._at:
            self._leave()
        self._at = wanted
        return wanted

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the connection gives at once.

        Raises:
            StorageAway: it does not, several times.
        """
        for left in reversed(range(TRIES)):
            try:
                block = self._next(len(buffer))
            except (ClientError, BotoCoreError, OSError) as fault:
                self._leave()
                if not left or isinstance(fault, ClientError):
                    log.warning("the storage broke off: %s", fault)
                    raise StorageAway from fault
                continue
            buffer[: len(block)] = block
            self._at += len(block)
            return len(block)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Let the connection go."""
        self._leave()
        super().close()

    def _next(self, most: int) -> bytes:
        if self._at >= self.size:
            return b""
        if self._body is None:
            found = self._client.get_object(**self._wanted, Range=f"bytes={self._at}-")
            self._body = found["Body"]
        block: bytes = self._body.read(most)
        if not block:  # cut off without an error
            raise OSError("it ended too early")
        return block

    def _leave(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()
