"""State for plain Python programs: the two managers that CONTRACTS sections 2 and 3 name."""

from __future__ import annotations

from statecore.managers.state import UnifiedStateManager
from statecore.managers.status import StatusManager

__all__ = ["StatusManager", "UnifiedStateManager"]
