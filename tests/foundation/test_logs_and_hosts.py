"""Log lines that nobody can forge, and the names this machine answers to."""

from __future__ import annotations

import json
import logging
import re
import sys

import pytest

from orchard.conf import get_conf, load_conf
from orchard.hosts import allowed_hosts, own_address
from orchard.log_lines import JsonFormatter, LineFormatter


def record(message: str, *values: object, fault: bool = False) -> logging.LogRecord:
    """A log record, perhaps with a traceback."""
    info = sys.exc_info() if fault else None
    made = logging.LogRecord("orchard.x", logging.WARNING, "f", 1, message, values, info)
    made.created = 1_750_000_000.5
    return made


def test_a_record_is_one_line_with_time_level_and_logger():
    line = LineFormatter().format(record("job %s begins", "ab12"))
    assert line == "2025-06-15T15:06:40.500Z WARNING orchard.x job ab12 begins"


@pytest.mark.parametrize("char", ["\n", "\r", "\x1b", "\u2028", "\0", "\x85", "\udc80"])
def test_what_strangers_send_cannot_forge_a_line(char):
    line = LineFormatter().format(record("file %s", f"a{char}2025 ERROR b"))
    assert char not in line
    assert len(line.splitlines()) == 1


def test_japanese_stays_readable():
    assert "会議.wav" in LineFormatter().format(record("file %s", "会議.wav"))


def test_a_traceback_follows_the_line_and_goes_into_the_object():
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        fault = record("went wrong", fault=True)
    first, *rest = LineFormatter().format(fault).splitlines()
    assert first.endswith("went wrong")
    assert rest[-1] == "RuntimeError: broken"
    only = JsonFormatter().format(fault)
    assert "\n" not in only
    assert json.loads(only)["traceback"].endswith("RuntimeError: broken")


def test_machines_get_one_object_a_record():
    line = JsonFormatter().format(record("file %s", "a\nb 会議"))
    assert json.loads(line) == {
        "at": "2025-06-15T15:06:40.500Z", "level": "WARNING", "logger": "orchard.x",
        "message": "file a\nb 会議",
    }  # fmt: skip


def test_half_a_character_does_not_stop_the_log():
    line = JsonFormatter().format(record("file %s", "a\udc80"))
    assert line.encode()


LOCAL = ["127.0.0.1", "localhost", "[::1]"]


@pytest.mark.parametrize("listen_on", ["127.0.0.1", "::1", "localhost", "127.0.0.5"])
def test_a_site_for_this_machine_answers_to_local_names_only(listen_on):
    assert allowed_hosts("", listen_on) == LOCAL


def test_a_list_of_names_is_taken_as_it_is_besides_local_ones():
    assert allowed_hosts(" a.example ,localhost", "0.0.0.0")[:2] == ["a.example", "localhost"]
    assert set(allowed_hosts("a.example", "0.0.0.0")) == {"a.example", *LOCAL}


def test_a_site_on_one_address_answers_to_it():
    assert allowed_hosts("", "192.168.1.5") == [*LOCAL, "192.168.1.5"]
    assert allowed_hosts("", "fd00::5") == [*LOCAL, "[fd00::5]"]


@pytest.mark.parametrize("listen_on", ["0.0.0.0", "::"])
def test_a_site_on_all_addresses_answers_to_this_machines_names_and_no_others(
    monkeypatch, listen_on
):
    monkeypatch.setattr("socket.gethostname", lambda: "shed.lan")
    hosts = allowed_hosts("", listen_on)
    assert {*LOCAL, "shed.lan", "shed.local"} <= {*hosts}
    assert "*" not in hosts
    addresses = [host for host in hosts if host not in (*LOCAL, "shed.lan", "shed.local")]
    assert all(re.fullmatch(r"[\d.]+|\[[\da-f:]+\]", address) for address in addresses)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("fd00::5", "http://[fd00::5]:8000"),
        ("shed.lan", "http://shed.lan:8000"),
    ],
)
def test_this_machine_finds_its_site(monkeypatch, tmp_path, host, address):
    conf = load_conf({"ORCHARD_HOST": host}, tmp_path / "none")
    monkeypatch.setattr("orchard.hosts.get_conf", lambda: conf)
    assert own_address() == address
    assert get_conf().host == "127.0.0.1"
