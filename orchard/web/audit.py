"""The audit log: who did what by hand, searched, paged and taken away as a file."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from orchard.byte_ranges import Blocks
from orchard.models import AuditEntry
from orchard.roles import Role
from orchard.web.access import page
from orchard.web.audit_filters import AuditFilters
from orchard.web.filters import WrongFilter, read_number, shown_moment

PAGE = 50
COLUMNS = ("at", "who", "action", "subject", "facts")
FORMS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


class ShownEntry:
    """An entry with what it changed."""

    def __init__(self, entry: AuditEntry, filters: AuditFilters) -> None:
        self.entry = entry
        self.who_query = filters.query(who="" if filters.who else entry.who)
        self.action_query = filters.query(action="" if filters.action else entry.action)
        facts = entry.facts if isinstance(entry.facts, dict) else {"": entry.facts}
        self.has_change = "before" in facts or "after" in facts
        self.before = _pretty(facts.get("before"))
        self.after = _pretty(facts.get("after"))
        rest = {name: one for name, one in facts.items() if name not in ("before", "after")}
        self.rest = _pretty(rest) if rest else ""


@page(needs=Role.ADMIN)
def audit(request: HttpRequest) -> HttpResponse:
    """The newest entries that match the filters, or older ones (``?cursor=``)."""
    filters, before = AuditFilters.read(request.GET), read_number(request.GET, "cursor")
    entries, problem = _find(filters, before)
    older = filters.query(cursor=entries[PAGE - 1].pk) if len(entries) > PAGE else ""
    context: dict[str, Any] = {
        "page": "audit", "filters": filters, "problem": problem, "older": older,
        "is_first": before is None, "rows": [ShownEntry(one, filters) for one in entries[:PAGE]],
        "actions": AuditEntry.objects.order_by("action").values_list("action", flat=True)
        .distinct()[:200],
        "since": shown_moment(filters.since), "until": shown_moment(filters.until),
    }  # fmt: skip
    return render(request, "orchard/audit.html", context)


@page(needs=Role.ADMIN)
def export(request: HttpRequest) -> Any:
    """All entries that match, as CSV or as lines of JSON (``?format=``)."""
    form = request.GET.get("format", "csv")
    if form not in FORMS:
        raise Http404
    try:
        entries = AuditFilters.read(request.GET).find()
    except WrongFilter as fault:
        return HttpResponse(str(fault), status=400, content_type="text/plain; charset=utf-8")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
    for part in _lines(entries.iterator(500), form):
        file.write(part.encode())
    answer = StreamingHttpResponse(Blocks(file), content_type=FORMS[form])
    answer["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    return answer


def _lines(entries: Iterator[AuditEntry], form: str) -> Iterator[str]:
    if form == "ndjson":
        for entry in entries:
            yield json.dumps(_shape(entry), ensure_ascii=False) + "\n"
        return
    yield _csv_line(COLUMNS)
    for entry in entries:
        shape = _shape(entry) | {"facts": json.dumps(entry.facts, ensure_ascii=False)}
        yield _csv_line([_cell(str(shape[name])) for name in COLUMNS])


def _shape(entry: AuditEntry) -> dict[str, Any]:
    at = entry.at.isoformat(timespec="milliseconds")
    return {"at": at} | {name: getattr(entry, name) for name in COLUMNS[1:]}


def _csv_line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(text: str) -> str:
    """A cell that a spreadsheet takes for text: what others wrote must not become a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _find(filters: AuditFilters, before: int | None) -> tuple[list[AuditEntry], str]:
    try:
        found = filters.find()
    except WrongFilter as fault:
        return [], str(fault)
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found[: PAGE + 1]), ""


def _pretty(facts: Any) -> str:
    if facts is None:
        return _("nothing")
    return json.dumps(facts, ensure_ascii=False, indent=2)
