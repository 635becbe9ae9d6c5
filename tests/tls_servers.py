"""Engines that speak TLS, for tests: the Redis of the system, as the embedded server has no TLS."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from tests.servers import ServerProcess, free_port


class Papers(NamedTuple):
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


def redis_binary() -> str:
    """The system's Redis; without it the test is skipped, but not in CI."""
    found = shutil.which("redis-server")
    if found is None:
        assert "CI" not in os.environ, "redis-server is not installed"
        pytest.skip("redis-server is not installed")
    return found


def issued(authority: trustme.CA, folder: Path, *names: str, **options: Any) -> Papers:
    """What an authority issues for some hosts."""
    one = authority.issue_cert(*names, **options)
    folder.mkdir(parents=True, exist_ok=True)
    papers = Papers(folder / "certificate.pem", folder / "key.pem")
    one.cert_chain_pems[0].write_to_path(papers.certificate)
    one.private_key_pem.write_to_path(papers.key)
    return papers


class TlsServer(ServerProcess):
    """A server that speaks TLS on one port, and plain text on another."""

    def __init__(
        self, directory: Path, binary: str, ca: Path, papers: Papers, *options: str
    ) -> None:
        self.tls_port = free_port()
        tls = ("--tls-port", str(self.tls_port), "--tls-cert-file", str(papers.certificate),
               "--tls-key-file", str(papers.key), "--tls-ca-cert-file", str(ca))  # fmt: skip
        super().__init__(directory, *tls, *options, binary=binary)

    def url(self, host: str = "localhost", **options: Any) -> str:
        """Its address."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"rediss://{host}:{self.tls_port}/0?{query}"
