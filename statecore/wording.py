"""What the state side says to people outside of it, in the site's language."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext, override

from statecore.domain.orphans import COMMENT, Orphan


def comment_on(orphan: Orphan) -> str:
    """The words that are left on an orphaned issue; others than whoever repairs it read them."""
    with override(settings.LANGUAGE_CODE):
        return gettext(COMMENT)
