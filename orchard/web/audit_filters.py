"""What the audit log was asked for, as it stands in the address."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from orchard.models import AuditEntry
from orchard.web.log_filters import moment_of

NAMES = ("q", "who", "action", "since", "until")
TEXT_MAX = 200


@dataclass(frozen=True)
class AuditFilters:
    """What was asked for; each as text, empty for all."""

    q: str = ""
    who: str = ""
    action: str = ""
    since: str = ""
    until: str = ""

    @property
    def has_more(self) -> bool:
        """Whether a time is asked for."""
        return bool(self.since or self.until)

    def query(self, **changes: object) -> str:
        """These filters as the query of an address; ``changes`` replace some."""
        wanted = {name: getattr(self, name) for name in NAMES} | changes
        return "?" + urlencode({name: value for name, value in wanted.items() if value})

    def find(self) -> QuerySet[AuditEntry]:
        """The entries that are meant, the newest first.

        Raises:
            WrongFilter: a time is none.
        """
        found = AuditEntry.objects.order_by("-pk")
        if self.q:
            said = [(name, self.q) for name in ("who", "action", "subject", "facts")]
            # SQLite keeps facts as JSON, in which other letters than English ones are escaped.
            said.append(("facts", json.dumps(self.q)[1:-1]))
            found = found.filter(
                Q(*((f"{name}__icontains", text) for name, text in said), _connector=Q.OR)
            )
        if self.who:
            found = found.filter(who=self.who)
        if self.action:  # a kind, such as "user", or one of its actions
            found = found.filter(Q(action=self.action) | Q(action__startswith=f"{self.action}."))
        if since := moment_of(self.since):
            found = found.filter(at__gte=since)
        if until := moment_of(self.until):
            found = found.filter(at__lte=until)
        return found


def read_audit_filters(given: QueryDict) -> AuditFilters:
    """The filters of an address."""
    return AuditFilters(
        **{name: given.get(name, "").replace("\0", "").strip()[:TEXT_MAX] for name in NAMES}
    )
