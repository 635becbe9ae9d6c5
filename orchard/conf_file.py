"""The configuration file: ``config/config.json``, shared with the programs that had it before.

Ours is the section ``orchard``; ``unifiedStateManagement`` may name a Redis
server. Sections of other programs are let alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from statecore.configuration import (
    SECTION,
    WrongConfiguration,
    parse_configuration,
    read_configuration,
    refuse_unknown,
)
from statecore.configuration import suggest as suggest

OWN = "orchard"

Named = dict[str, tuple[str, Any]]
"""Values by setting, each with the name that is to blame when it is wrong."""


def read_file(path: Path, settings: list[str]) -> Named:
    """Values of the settings that the file names; none when there is no file.

    Raises:
        ImproperlyConfigured: it is not JSON, or holds a setting that there is not.
    """
    try:
        return _read(path, settings)
    except WrongConfiguration as fault:
        raise ImproperlyConfigured(str(fault)) from None


def _read(path: Path, settings: list[str]) -> Named:
    whole = read_configuration(path)
    for name in whole:
        if name not in (OWN, SECTION) and (meant := suggest(name, (OWN, SECTION))):
            raise WrongConfiguration(f"{path}: unknown section {name}{meant}")
    own = whole.get(OWN, {})
    if not isinstance(own, dict):
        raise WrongConfiguration(f"{path}: {OWN} must be an object")
    refuse_unknown(own, settings, f"{path}: {OWN}")
    values = {name: (f"{path}: {OWN}.{name}", value) for name, value in own.items()}
    state = parse_configuration(whole, f"{path}: ")
    if state.uses_redis:
        return {"store": (f"{path}: {SECTION}.redis", state.redis_url)} | values
    return values
