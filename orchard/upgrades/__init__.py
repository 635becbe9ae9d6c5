"""Upgrades: state of an older version becomes state of this one, in place and while it is used.

A release writes one version of the state and reads the one before it as well. What is to change
in records that are there is a step (``steps/NNNN_name.py``).
"""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module
from typing import cast

from orchard.upgrades import steps
from orchard.upgrades.step import Step, StepModule
from orchard_client.version import __version__
from statecore.store.schema import Release
from statecore.versions import OLDEST, VERSION

RELEASE = Release(__version__, VERSION, OLDEST)


@lru_cache(1)
def all_steps() -> tuple[Step, ...]:
    """Every step, in the order of the versions that they lead to."""
    names = sorted(found.name for found in pkgutil.iter_modules(steps.__path__))
    modules = (cast("StepModule", import_module(f"{steps.__name__}.{name}")) for name in names)
    return tuple(module.STEP for module in modules)
