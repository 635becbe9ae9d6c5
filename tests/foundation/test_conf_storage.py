"""Where recordings are kept, by settings alone: a folder, or a bucket."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from orchard.conf import load_conf
from orchard.storage_settings import storage_settings

KEYS = {"ORCHARD_S3_ACCESS_KEY": "me", "ORCHARD_S3_SECRET_KEY": "pa55word"}


def test_a_folder_is_what_one_gets(tmp_path):
    found = storage_settings(load_conf({}, tmp_path / "none"))
    assert found["BACKEND"] == "django.core.files.storage.FileSystemStorage"


def test_a_bucket_is_named_with_its_server_and_who_we_are(tmp_path):
    environ = KEYS | {"ORCHARD_S3_BUCKET": "talks", "ORCHARD_S3_URL": "http://h:1"}
    conf = load_conf(environ | {"ORCHARD_S3_PREFIX": "a/b"}, tmp_path / "none")
    assert storage_settings(conf)["OPTIONS"] == {
        "bucket_name": "talks", "endpoint_url": "http://h:1", "region_name": "us-east-1",
        "location": "a/b", "access_key": "me", "secret_key": "pa55word",
    }  # fmt: skip
    assert "pa55word" not in repr(conf)


def test_a_machine_of_amazons_needs_the_bucket_alone(tmp_path):
    options = storage_settings(load_conf({"ORCHARD_S3_BUCKET": "talks"}, tmp_path / "none"))
    assert {options["OPTIONS"][name] for name in ("endpoint_url", "access_key")} == {None}


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"ORCHARD_S3_URL": "http://h"}, "ORCHARD_S3_URL"),
        (KEYS, "ORCHARD_S3_ACCESS_KEY"),
        ({"ORCHARD_S3_BUCKET": "talks", "ORCHARD_S3_ACCESS_KEY": "me"}, "ORCHARD_S3_ACCESS_KEY"),
        ({"ORCHARD_S3_BUCKET": "talks", "ORCHARD_S3_SECRET_KEY": "pa55word"},
         "ORCHARD_S3_SECRET_KEY"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_in_one_line(tmp_path, environ, named):
    with pytest.raises(ImproperlyConfigured) as refused:
        load_conf(environ, tmp_path / "none")
    assert str(refused.value).startswith(f"{named} is ")
    assert "allowed: " in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "pa55word" not in str(refused.value)
