"""The units of systemd: what they start, the settings they name, and how long they wait."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from orchard.agent import make_parser
from orchard.checks import OF_AGENTS
from orchard.conf import Conf

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
PLACE = "/opt/orchard"
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "OMP_NUM_THREADS", "PYTHONUNBUFFERED",
            "PYTHONDONTWRITEBYTECODE"}  # fmt: skip
PROGRAMS = ("serve", "pipeline", "ambassador", "dispatch")
LONGEST_S = 15
"""How long a process without an option for it takes to stop, at most, in seconds."""


def lines_of(path: Path) -> list[tuple[str, str]]:
    """Names and values, without sections."""
    found = [line.partition("=") for line in path.read_text("utf-8").splitlines()]
    return [(name, value) for name, sep, value in found if sep and name[:1] not in "#["]


def value_of(path: Path, name: str) -> str:
    """The one value of a name."""
    (value,) = [value for one, value in lines_of(path) if one == name and value]
    return value


def arguments(unit: Path, instance: str) -> argparse.Namespace:
    """What a unit's command line means to the program that it starts."""
    program, *words = shlex.split(value_of(unit, "ExecStart").replace("%i", instance))
    assert program == f"{PLACE}/.venv/bin/python"
    if words[:2] == ["-m", "orchard.agent"]:
        return make_parser().parse_args(words[2:])
    assert words[0] == "manage.py"
    name = words[1]
    command = load_command_class(get_commands()[name], name)
    return command.create_parser("manage.py", name).parse_args(words[2:])


def variables() -> list[tuple[str, str]]:
    """Every variable that a unit, or a file beside it, sets; with the file's name."""
    found = []
    for path in [*UNITS, *FOLDER.glob("*.d/*.conf")]:
        for name, value in lines_of(path):
            if name == "Environment":
                found += [(path.name, each.partition("=")[0]) for each in shlex.split(value)]
    for path in (FOLDER / "environment", FOLDER / "agent.env"):
        names = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", path.read_text(), re.MULTILINE)
        found += [(path.name, name) for name in names]
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_has_longer_than_it_takes_to_drain(program):
    unit = FOLDER / "orchard@.service"
    own = FOLDER / f"orchard@{program}.service.d" / "grace.conf"
    chosen = arguments(own if own.exists() else unit, program)
    longest = getattr(chosen, "grace", LONGEST_S)
    assert int(value_of(unit, "TimeoutStopSec")) > longest
    assert value_of(unit, "Restart") == "always"
    assert value_of(unit, "PartOf") == "orchard.target"


def test_an_agent_has_longer_than_it_takes_to_drain():
    unit = FOLDER / "orchard-agent@.service"
    assert int(value_of(unit, "TimeoutStopSec")) > arguments(unit, "1").grace
    assert value_of(unit, "PartOf") == "orchard.target"


@pytest.mark.parametrize(("file", "name"), variables())
def test_a_variable_is_a_setting(file, name):
    known = {one.metadata["env"] for one in fields(Conf)} | set(OF_AGENTS) | NOT_OURS
    assert name in known, file


def test_an_agent_gets_no_more_than_its_token():
    unit = FOLDER / "orchard-agent@.service"
    assert value_of(unit, "DynamicUser") == "yes"
    assert value_of(unit, "EnvironmentFile") == "/etc/orchard/agent.env"
    assert value_of(unit, "LoadCredential").startswith("token:")
    assert "User" not in dict(lines_of(unit))


def test_no_process_may_more_than_it_needs():
    told = dict(lines_of(FOLDER / "orchard-.service.d" / "hardening.conf"))
    assert told["CapabilityBoundingSet"] == ""
    assert {told[name] for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome")} == {"yes"}
    assert told["ProtectSystem"] == "strict"


def test_the_readme_names_every_unit():
    text = (FOLDER / "README.md").read_text("utf-8")
    for name in (*(f"orchard@{one}" for one in PROGRAMS), "orchard-prepare", "orchard-agent@1"):
        assert name in text


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they would be installed, with this checkout as their place."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    folder = tmp_path / "system"
    shutil.copytree(FOLDER, folder, symlinks=True)
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.symlink_to(sys.executable)
    for path in [*folder.glob("*.service"), *folder.glob("*.d/*.conf")]:
        text = path.read_text().replace(f"{PLACE}/.venv/bin/python", str(python))
        path.write_text(text.replace(PLACE, str(ROOT)))
    for program in PROGRAMS:
        shutil.copy(folder / "orchard@.service", folder / f"orchard@{program}.service")
    shutil.copy(folder / "orchard-agent@.service", folder / "orchard-agent@1.service")
    return folder


def test_systemd_understands_every_line(installed):
    units = [str(one) for one in installed.glob("*.*") if "@." not in one.name and one.is_file()]
    units = [one for one in units if one.endswith((".service", ".target"))]
    environ = os.environ | {"SYSTEMD_UNIT_PATH": f"{installed}:"}
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], env=environ, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(units) == len(PROGRAMS) + len(["prepare", "agent", "target"])


def test_the_hardening_reaches_every_unit(installed):
    environ = os.environ | {"SYSTEMD_UNIT_PATH": f"{installed}:"}
    for name in ("orchard@serve", "orchard-prepare", "orchard-agent@1"):
        command = ["systemd-analyze", "security", "--offline=true", "--threshold=25"]
        unit = str(installed / f"{name}.service")
        done = subprocess.run([*command, unit], env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-300:]
