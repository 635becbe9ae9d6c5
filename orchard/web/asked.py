"""What a list was asked for, as it stands in the address: words, a state, an order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

TEXT_MAX = 200


@dataclass(frozen=True)
class Asked:
    """Words to search for, a state and an order; empty where nothing was asked."""

    q: str = ""
    status: str = ""
    sort: str = ""
    """Empty for the order that the list has by itself."""
    cursor: str = ""

    @property
    def is_first(self) -> bool:
        """Whether this is the first page."""
        return not self.cursor

    @property
    def has_narrowed(self) -> bool:
        """Whether less than all is asked for."""
        return bool(self.q or self.status)

    def query(self, **changes: Any) -> str:
        """The first page of this, as the query of an address; ``changes`` replace some."""
        wanted = {"q": self.q, "status": self.status, "sort": self.sort} | changes
        return "?" + urlencode({name: value for name, value in wanted.items() if value})


def read_asked(given: QueryDict, statuses: Collection[str], sorts: Collection[str]) -> Asked:
    """What an address asks for; a state or order that there is not is not asked for.

    The first of the orders is the one that the list has by itself.
    """
    _default, *others = sorts
    status, sort = given.get("status", ""), given.get("sort", "")
    return Asked(
        q=given.get("q", "").replace("\0", " ").strip()[:TEXT_MAX],
        status=status if status in statuses else "",
        sort=sort if sort in others else "",
        cursor=given.get("cursor", ""),
    )
