"""The settings of the storage of recordings: a folder of our own, or a bucket (S3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from orchard.conf_values import is_http_url, setting

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")


def is_bucket(value: str) -> str:
    """Check the name of a bucket."""
    is_right = not value or _BUCKET.fullmatch(value)
    return "" if is_right else "3 to 63 small letters, digits, dots and hyphens"


def is_endpoint(value: str) -> str:
    """Check the URL of a storage server."""
    return is_http_url(value) if value else ""


def is_prefix(value: str) -> str:
    """Check a folder inside a bucket."""
    return "" if not value or _PREFIX.fullmatch(value) else "names with slashes between"


@dataclass(frozen=True, kw_only=True)
class StorageConf:
    """Where recordings and transcripts are kept."""

    s3_bucket: str = setting(
        "", "ORCHARD_S3_BUCKET",
        "Bucket of recordings and transcripts (S3); empty: the folder media of the data folder.",
        check=is_bucket,
    )  # fmt: skip
    s3_url: str = setting(
        "", "ORCHARD_S3_URL", "Server of the bucket, such as http://127.0.0.1:8333; empty: Amazon.",
        check=is_endpoint,
    )  # fmt: skip
    s3_region: str = setting("us-east-1", "ORCHARD_S3_REGION", "Region of the bucket.")
    s3_prefix: str = setting(
        "", "ORCHARD_S3_PREFIX", "Folder inside the bucket; empty: the bucket is ours alone.",
        check=is_prefix,
    )  # fmt: skip
    s3_access_key: str = setting(
        "", "ORCHARD_S3_ACCESS_KEY",
        "Who we are at the server; empty: what Amazon gives its own machines.", secret=True,
    )  # fmt: skip
    s3_secret_key: str = setting(
        "", "ORCHARD_S3_SECRET_KEY", "The secret that goes with it.", secret=True
    )


def check_storage(conf: StorageConf, named: Mapping[str, tuple[str, Any]]) -> None:
    """Refuse settings that do not go together; ``named`` knows what each is called.

    Raises:
        ImproperlyConfigured: one is useless, or lacks another.
    """
    fields = ("s3_url", "s3_prefix", "s3_access_key", "s3_secret_key")
    useless = [named[one][0] for one in fields if getattr(conf, one) and one in named]
    if useless and not conf.s3_bucket:
        raise ImproperlyConfigured(f"{useless[0]} is set; allowed: only with ORCHARD_S3_BUCKET")
    if bool(conf.s3_access_key) != bool(conf.s3_secret_key):
        name = named["s3_access_key" if conf.s3_access_key else "s3_secret_key"][0]
        raise ImproperlyConfigured(
            f"{name} is alone; allowed: ORCHARD_S3_ACCESS_KEY and ORCHARD_S3_SECRET_KEY together"
        )
