"""Recordings in a bucket (S3): read where one stands, not fetched whole first.

Made and loaded by Django when the settings name a bucket; nothing else imports this.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

from orchard.domain.errors import StorageAway
from orchard.ports.object_reading import ObjectReader

log = logging.getLogger("orchard.storage")

BUFFER = 256 * 1024
"""How much is read from the network at once, in bytes."""
_GONE = ("404", "NoSuchKey")


class ObjectFile(File):
    """An object for reading; its size is known without asking again."""

    def __init__(self, reader: ObjectReader, name: str) -> None:
        super().__init__(io.BufferedReader(reader, BUFFER), name=name)
        self.size = reader.size


class ObjectStorage(S3Storage):
    """A bucket of any server that speaks S3.

    Whatever the server refuses or does not answer is a :class:`StorageAway`;
    what is not there is a ``FileNotFoundError``, as on a disk.
    """

    def __init__(self, **options: Any) -> None:
        self._opening = threading.Lock()
        self._one: Any = None
        super().__init__(**options)

    def get_default_settings(self) -> dict[str, Any]:
        """Settings of ours instead of the library's: no call hangs, and any server will do."""
        theirs: dict[str, Any] = super().get_default_settings()
        return theirs | {
            "querystring_auth": False,
            "client_config": Config(
                signature_version="s3v4",
                # Not every server knows the newer sums and a host name for each bucket.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "auto"},
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "total_max_attempts": 3},
                max_pool_connections=50,
            ),
        }

    @property
    def connection(self) -> Any:
        """One for all threads: each would cost megabytes, and its client may be shared."""
        with self._opening:
            if self._one is None:
                session = self._create_session()
                self._one = session.resource(
                    "s3", region_name=self.region_name, endpoint_url=self.endpoint_url,
                    config=self.client_config,
                )  # fmt: skip
            return self._one

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ValueError("recordings are written whole, by save()")
        key = self._key(name)
        with _explained(name):
            reader = ObjectReader(self.connection.meta.client, self.bucket_name, key)
        return ObjectFile(reader, name)

    def _save(self, name: str, content: Any) -> str:
        with _explained(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""
        with _explained(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        with _explained(name):
            return bool(super().exists(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        """Names of what is in a folder: folders, and objects."""
        with _explained(name):
            folders, files = super().listdir(name)
        return folders, files

    def size(self, name: str) -> int:
        """The size of an object in bytes."""
        with _explained(name):
            return int(super().size(name))

    def get_modified_time(self, name: str) -> datetime:
        """When an object was written."""
        with _explained(name):
            found: datetime = super().get_modified_time(name)
        return found

    def delete_folder(self, folder: str) -> None:
        """Remove all that is under a folder, a thousand objects a request."""
        with _explained(folder):
            self.bucket.objects.filter(Prefix=f"{self._key(folder)}/").delete()

    def holds_any(self, folder: str) -> bool:
        """Whether any object is under a folder."""
        with _explained(folder):
            found = self.bucket.objects.filter(Prefix=f"{self._key(folder)}/").limit(1)
            return any(True for _ in found)

    def newest_in_folders(self, folder: str) -> dict[str, datetime]:
        """The folders in a folder, each with the time of its newest object; in few requests."""
        prefix, newest = f"{self._key(folder)}/", dict[str, datetime]()
        with _explained(folder):
            for one in self.bucket.objects.filter(Prefix=prefix):
                inner, slash, _ = one.key.removeprefix(prefix).partition("/")
                if slash:
                    newest[inner] = max(one.last_modified, newest.get(inner, one.last_modified))
        return newest

    def _key(self, name: str) -> str:
        return str(self._normalize_name(name))


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say what went wrong in words that the rest of the program knows.

    Raises:
        FileNotFoundError: there is no such object.
        StorageAway: the server did not do it.
    """
    try:
        yield
    except ClientError as refused:
        if str(refused.response.get("Error", {}).get("Code")) in _GONE:
            raise FileNotFoundError(f"there is no object {name}") from None
        log.warning("the storage refused %s: %s", name, refused)
        raise StorageAway from refused
    except (BotoCoreError, Boto3Error) as fault:
        log.warning("the storage is away: %s", fault)
        raise StorageAway from fault
