"""What ``pip install`` of the repository gives: the client, and nothing of the server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROOF = """
import sys
import orchard_client, orchard_client.cli
orchard_client.Client("http://127.0.0.1:9", "x").close()
unwanted = {"django", "redis", "orchard", "statecore", "numpy"} & set(sys.modules)
assert not unwanted, unwanted
print(orchard_client.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built from the repository without a look at the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index",
               "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]  # fmt: skip
    subprocess.run(command, check=True, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the package, and with what it says that it needs; no more."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False, symlinks=True)
    site = next(home.glob("lib/python3*/site-packages"))
    command = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install",
               "--quiet", "--no-deps", "--no-index", str(wheel)]  # fmt: skip
    subprocess.run(command, check=True)
    for name in needed(requires_of(wheel)):
        link(distribution(name), site)
    return home


def requires_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        name = next(one for one in file.namelist() if one.endswith(".dist-info/METADATA"))
        return re.findall(r"^Requires-Dist: (.+)$", file.read(name).decode(), re.MULTILINE)


def needed(requires: list[str]) -> set[str]:
    """The names of all that has to be installed, and of what that needs."""
    found: set[str] = set()
    waiting = list(requires)
    while waiting:
        wanted = waiting.pop()
        name = re.match(r"[\w.-]+", wanted)[0]
        if ";" in wanted or name in found:
            continue  # extras, other systems, other versions of Python
        found.add(name)
        waiting += distribution(name).requires or []
    return found


def link(one: Distribution, site: Path) -> None:
    """Let an environment have a package that this one has."""
    for top in {Path(str(path)).parts[0] for path in one.files or ()} - {"..", "__pycache__"}:
        target = site / top
        if not target.exists():
            target.symlink_to(Path(str(one.locate_file(top))).resolve())


def test_it_has_the_client_alone_with_its_types(wheel: Path):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {re.sub(r"^orchard-\d+\.\d+\.\d+", "", top) for top in tops} == {
        "orchard_client",
        ".dist-info",
    }
    assert "orchard_client/py.typed" in names


def test_it_needs_nothing_of_the_server(wheel: Path):
    names = {re.match(r"[\w-]+", one)[0] for one in requires_of(wheel)}
    assert names == {"httpx", "msgspec", "typer", "rich"}


def test_a_fresh_environment_has_the_command_and_the_library(installed: Path, tmp_path: Path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*command: str) -> str:
        ended = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    orchard, python = str(installed / "bin" / "orchard"), str(installed / "bin" / "python")
    assert re.fullmatch(r"orchard \d+\.\d+\.\d+\n", run(orchard, "--version"))
    assert "submit" in run(orchard, "--help")
    assert str(installed) in run(python, "-c", PROOF)
    assert not list(installed.glob("lib/python3*/site-packages/django"))


def test_what_the_tests_use_is_what_the_package_allows():
    """The pins of the tests are within the package's ranges."""
    from packaging.requirements import Requirement

    ranges = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M))
    for one in map(Requirement, ranges):
        assert one.specifier.contains(pins[one.name]), one
