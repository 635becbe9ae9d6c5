"""What the state side says to people outside of it, in the site's language."""

from __future__ import annotations

from django.utils.translation import gettext

from statecore.domain.orphans import Orphan


def comment_on(orphan: Orphan) -> str:
    """The words that are left on an orphaned issue."""
    return gettext(
        "The process that worked on this issue died unexpectedly. The issue was given back as"
        " `error`."
    )
