"""Edits of a transcript on its page: one line at a time, beside what was heard."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from orchard.catalogue import passages
from orchard.domain.errors import NotFound, OrchardError
from orchard.models import AuditEntry
from orchard.services import EngineAway, edits, run
from orchard.web.access import check_role
from orchard.web.words import explain_refusal


@require_POST
@login_required
def edit_line(request: HttpRequest, job_id: str) -> JsonResponse:
    """Save what somebody made of a line; a refusal says why, and what the line is now."""
    check_role(request)
    start, text, was = (request.POST.get(name, "") for name in ("start_ms", "text", "was"))
    number = int(start) if start.isascii() and start.isdigit() and len(start) < 12 else -1
    who = request.user.get_username()
    try:
        edit = run(edits.edit_line(job_id, number, text, was=was, by=who))
    except EngineAway:
        away = _("The state engine is away; nothing was changed. Try again.")
        return JsonResponse({"error": away}, status=503)
    except OrchardError as refused:
        status = 404 if isinstance(refused, NotFound) else 409
        return JsonResponse({"error": explain_refusal(refused)} | refused.facts, status=status)
    facts = {"start_ms": number, "before": was, "after": edit.text if edit else text}
    passages.read_again(job_id)
    AuditEntry.objects.create(who=who, action="transcript.edit", subject=job_id, facts=facts)
    return JsonResponse({"text": edit.text if edit else text, "edited": edit is not None})
