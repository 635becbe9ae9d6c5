"""A real storage server that speaks S3 (SeaweedFS), with a bucket, for tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
import httpx

PATIENCE_S = 60.0
PARTS = ("master", "volume", "filer", "s3")


class StorageServer:
    """Master, volumes, filer and S3 door in one process."""

    bucket = "recordings"
    access_key, secret_key = "orchard", "seed-and-stone"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = dict(zip([*PARTS, *(f"{one}.grpc" for one in PARTS)], _free(8), strict=True))
        self.url = f"http://127.0.0.1:{self._ports['s3']}"
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "weed.log"

    @property
    def options(self) -> dict[str, str]:
        """The site's settings for it."""
        return {
            "ORCHARD_S3_BUCKET": self.bucket, "ORCHARD_S3_URL": self.url,
            "ORCHARD_S3_ACCESS_KEY": self.access_key, "ORCHARD_S3_SECRET_KEY": self.secret_key,
        }  # fmt: skip

    def start(self) -> None:
        """Start it, and wait until it has its bucket."""
        (self._folder / "data").mkdir(exist_ok=True)
        keys = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        who = {"name": "orchard", "credentials": keys, "actions": ["Admin"]}
        (self._folder / "who.json").write_text(json.dumps({"identities": [who]}))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=self._folder, env=os.environ | {"HOME": str(self._folder)},
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        stop = time.monotonic() + PATIENCE_S
        while not self._has_bucket():
            assert self._process.poll() is None, self.log.read_text()[-4000:]
            assert time.monotonic() < stop, self.log.read_text()[-4000:]
            time.sleep(0.1)

    def kill(self) -> None:
        """``kill -9``."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> object:
        """A client of its own, beside the site's."""
        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1",
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
        )  # fmt: skip

    def _command(self) -> list[str]:
        program = str(Path(sys.executable).parent / "weed")
        ports = [f"-{name}={number}" for name, number in self._named_ports()]
        return [
            program, "server", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3",
            "-s3.config=who.json", "-volume.max=20", "-master.volumeSizeLimitMB=64",
            "-volume.preStopSeconds=0", "-master.telemetry=false", "-s3.autoCreateBucket=false",
            "-s3.port.iceberg=0", "-s3.port.lance=0", *ports,
        ]  # fmt: skip

    def _named_ports(self) -> Iterator[tuple[str, int]]:
        for name, number in self._ports.items():
            part, _, kind = name.partition(".")
            yield f"{part}.port{'.' if kind else ''}{kind}", number

    def _has_bucket(self) -> bool:
        try:
            if httpx.get(self.url, timeout=5).status_code >= 500:
                return False
            client = self.client()
            if self.bucket not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=self.bucket)
            client.put_object(Bucket=self.bucket, Key="ready", Body=b"yes")
            client.delete_object(Bucket=self.bucket, Key="ready")
        except Exception:  # whatever a server says that is not there yet
            return False
        return True


@contextmanager
def storage_server(folder: Path) -> Iterator[StorageServer]:
    """A server that runs."""
    one = StorageServer(folder)
    try:
        one.start()
        yield one
    finally:
        one.kill()


def _free(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
