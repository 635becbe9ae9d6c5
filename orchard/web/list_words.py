"""What the lists call their orders, in the viewer's language."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orchard.web.words import Word

ALL: Word = _("all")

JOB_SORTS: Mapping[str, Word] = {
    "newest": pgettext_lazy("order", "newest"),
    "oldest": pgettext_lazy("order", "oldest"),
    "changed": pgettext_lazy("order", "last changed"),
    "name": pgettext_lazy("order", "name"),
    "longest": pgettext_lazy("order", "longest recording"),
    "largest": pgettext_lazy("order", "largest file"),
}

WORKER_SORTS: Mapping[str, Word] = {
    "name": pgettext_lazy("order", "name"),
    "heard": pgettext_lazy("order", "last heard of"),
    "fastest": pgettext_lazy("order", "fastest"),
    "done": pgettext_lazy("order", "most chunks done"),
}
