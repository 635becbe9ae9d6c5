"""An environment for each peer, made once from its pinned list and kept in a folder of caches."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.family import Family, PeerFault

HERE = Path(__file__).parent
INSTALL_S = 900.0
_READY = "ready"


def python_environment(name: str, cache: Path, family: Family) -> Path:
    """The folder of the programs of a virtual environment with this peer's requirements.

    Raises:
        PeerFault: something of it cannot be installed.
    """
    pins = HERE / name / "requirements.txt"

    def install(folder: Path) -> None:
        family.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], INSTALL_S)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
        quietly = ["--quiet", "--disable-pip-version-check", "--no-input"]
        family.run([*pip, "install", *quietly, "-r", str(pins)], INSTALL_S)

    return _made_once(cache, name, [pins], install) / "bin"


def node_environment(name: str, cache: Path, family: Family) -> Path:
    """The folder of the Node modules that this peer's lock file names.

    Raises:
        PeerFault: there is no npm, or something cannot be installed.
    """
    pins = [HERE / name / "package.json", HERE / name / "package-lock.json"]

    def install(folder: Path) -> None:
        folder.mkdir(parents=True)
        for one in pins:
            shutil.copy(one, folder)
        # Not `npm ci`: it wants the optional packages of every other platform in the lock file.
        quietly = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
        family.run(["npm", "install", "--prefix", str(folder), *quietly], INSTALL_S)

    return _made_once(cache, name, pins, install) / "node_modules"


def _made_once(cache: Path, name: str, pins: list[Path], install: Callable[[Path], None]) -> Path:
    """The folder for this list of pins; a half-made one of an earlier run is made anew."""
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in pins)).hexdigest()
    folder = cache.absolute() / f"{name}-{digest[:12]}"
    if not (folder / _READY).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            install(folder)
        except PeerFault as fault:
            raise PeerFault(f"cannot be installed: {fault}") from None
        (folder / _READY).touch()
    return folder
