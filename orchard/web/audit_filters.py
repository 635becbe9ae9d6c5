"""What the audit log was asked for, as it stands in the address."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from orchard.models import AuditEntry
from orchard.web.filters import Filters, moment_of


@dataclass(frozen=True)
class AuditFilters(Filters):
    """What was asked for; each as text, empty for all."""

    q: str = ""
    who: str = ""
    action: str = ""
    since: str = ""
    until: str = ""

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
