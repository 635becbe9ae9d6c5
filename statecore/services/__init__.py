"""What the state side does for its users. Surfaces call a service and run its steps here.

A service returns :data:`Steps`: it does no I/O until :func:`run` or
:func:`arun` drives it against the state engine.
"""

from __future__ import annotations

from statecore.services.engine import EngineAway, EngineBusy, EngineFull, arun, get_engine, run

__all__ = ["EngineAway", "EngineBusy", "EngineFull", "arun", "get_engine", "run"]
