"""The version of the state that this code writes, and those that it reads."""

from __future__ import annotations

KEY = "schema"
"""Where an engine says of which version its state is."""
VERSION = 2
"""What is written: the version that the last step of an upgrade leads to."""
OLDEST = VERSION - 1
"""The oldest that is read."""
