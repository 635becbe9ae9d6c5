"""What all views of the API share, on both sides; the settings say the rest."""

from __future__ import annotations

from statecore.api.views import AsyncView, Shape, View, parse

__all__ = ["AsyncView", "Shape", "View", "parse"]
