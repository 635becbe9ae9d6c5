"""Django's storage of recordings: a folder, or a bucket whose library is loaded only then."""

from __future__ import annotations

from typing import Any

from orchard.conf import Conf


def storage_settings(conf: Conf) -> dict[str, Any]:
    """The default storage."""
    if not conf.s3_bucket:
        # A stage that is repeated writes the same files again.
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"allow_overwrite": True},
        }
    return {
        "BACKEND": "orchard.ports.object_storage.ObjectStorage",
        "OPTIONS": {
            "bucket_name": conf.s3_bucket,
            "endpoint_url": conf.s3_url or None,
            "region_name": conf.s3_region,
            "location": conf.s3_prefix,
            "access_key": conf.s3_access_key or None,
            "secret_key": conf.s3_secret_key or None,
        },
    }
