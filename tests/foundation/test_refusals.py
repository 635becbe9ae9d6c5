"""Mistakes in how the engine is reached: each program ends at its start, with one line."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from tests.engines import SentinelProcess
from tests.foundation.launcher import ROOT
from tests.servers import ServerProcess, free_port
from tests.tls_servers import TlsServer, issued, redis_binary

FRONT, BACK = ("serve", "up"), ("pipeline", "dispatch", "ambassador")
"""What uses the engine; ``up`` is what `make run` calls."""
PATIENCE_S = 240.0
BOTH = {"sentinel": {"nodes": ["s:1"], "master": "m"}, "cluster": {"nodes": ["c:1"]}}


class Engines(NamedTuple):
    """Addresses of real servers."""

    plain: int
    sentinel: int
    ca: Path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that is prepared, so that nothing but the engine keeps a site from starting."""
    folder = tmp_path_factory.mktemp("refused") / "var"
    done = outcomes(folder, ("prepare",), {})["prepare"]
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A CA with its file."""
    authority, path = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return authority, path


@pytest.fixture(scope="module")
def engines(
    tmp_path_factory: pytest.TempPathFactory, authority: tuple[trustme.CA, Path]
) -> Iterator[Engines]:
    """A server without TLS, and a sentinel that watches it."""
    folder = tmp_path_factory.mktemp("engines")
    server = ServerProcess(folder / "server")
    sentinel = SentinelProcess(folder / "sentinel", server, 1)
    for one in (server, sentinel):
        one.start()
        one.await_answer()
    yield Engines(server.port, sentinel.port, authority[1])
    sentinel.close()
    server.close()


def outcomes(
    data: Path, programs: tuple[str, ...], environ: dict[str, str]
) -> dict[str, subprocess.CompletedProcess[str]]:
    """How these programs end, all started at once."""
    own = {"ORCHARD_DATA": str(data), "DJANGO_SETTINGS_MODULE": "orchard.settings"}
    with ThreadPoolExecutor(len(programs)) as pool:
        ended = [
            pool.submit(
                subprocess.run, [sys.executable, "manage.py", name], cwd=ROOT, text=True,
                capture_output=True, timeout=PATIENCE_S,
                env=os.environ | own | {"PORT": str(free_port())} | environ,
            )
            for name in programs
        ]  # fmt: skip
        return {name: one.result() for name, one in zip(programs, ended, strict=True)}


def check_refused(
    data: Path, programs: tuple[str, ...], environ: dict[str, str], said: str
) -> None:
    """Every one of these programs says this and ends."""
    for name, done in outcomes(data, programs, environ).items():
        assert done.returncode == 1, f"{name}: {done.stdout}{done.stderr}"
        assert done.stdout == "", name
        assert done.stderr.count("\n") == 1, f"{name}: {done.stderr}"
        assert done.stderr.startswith(f"Configuration: {said}"), f"{name}: {done.stderr}"
        assert "allowed: " in done.stderr, name


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"ORCHARD_STORE": "redis+cluster://h/1"}, "ORCHARD_STORE has the database 1; "),
        (
            {"ORCHARD_STORE": "redis://h", "ORCHARD_STORE_PASSWORD_FILE": "/none"},
            "ORCHARD_STORE_PASSWORD_FILE is '/none' (No such file or directory); ",
        ),
        (
            {"ORCHARD_STORE": "redis+cluster://h", "ORCHARD_SENTINEL_USERNAME": "me"},
            "ORCHARD_SENTINEL_USERNAME is set; ",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(data, environ, said):
    check_refused(data, ("check",), environ, said)


def test_a_file_that_names_sentinels_and_a_cluster_is_refused_by_whatever_starts(data, tmp_path):
    path = tmp_path / "config.json"
    whole = {"backend": "redis", "redis": {"enabled": True, **BOTH}}
    path.write_text(json.dumps({"unifiedStateManagement": whole}))
    said = f"{path}: unifiedStateManagement.redis.cluster is set and so is "
    check_refused(data, ("check", *FRONT), {"ORCHARD_CONFIG": str(path)}, said)


def test_a_master_that_the_sentinels_do_not_know_is_refused(data, engines):
    environ = {"ORCHARD_STORE": f"redis+sentinel://127.0.0.1:{engines.sentinel}/unknown"}
    check_refused(data, FRONT, environ, "ORCHARD_STORE names the master 'unknown', ")


def test_a_cluster_that_is_none_is_refused(data, engines):
    environ = {"ORCHARD_STORE": f"redis+cluster://127.0.0.1:{engines.plain}"}
    check_refused(data, BACK, environ, "ORCHARD_STORE is redis+cluster://, ")


def test_a_plain_port_is_refused_when_tls_is_wanted(data, engines):
    environ = {"ORCHARD_STORE": f"rediss://localhost:{engines.plain}"}
    environ["ORCHARD_STORE_CA"] = str(engines.ca)
    check_refused(data, ("serve",), environ, "ORCHARD_STORE is rediss://, ")


@pytest.mark.parametrize(
    ("host", "age_days", "said"),
    [
        ("localhost", 2, "whose certificate has expired"),
        ("127.0.0.1", 0, "its certificate does not"),
    ],
)
def test_a_certificate_that_will_not_do_is_refused(data, authority, tmp_path, host, age_days, said):
    ca, path = authority
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=age_days + 1)
    end = begin + datetime.timedelta(days=2 if not age_days else 1)
    papers = issued(ca, tmp_path, "localhost", not_before=begin, not_after=end)
    server = TlsServer(tmp_path / "server", redis_binary(), path, papers,
                       "--tls-auth-clients", "no")  # fmt: skip
    try:
        server.start()
        server.await_answer()
        place = f"{host}:{server.tls_port}"
        environ = {"ORCHARD_STORE": f"rediss://{place}", "ORCHARD_STORE_CA": str(path)}
        check_refused(data, ("serve",), environ, f"ORCHARD_STORE names {place}, {said}")
    finally:
        server.close()
