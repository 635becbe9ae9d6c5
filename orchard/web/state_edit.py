"""Changing entries by hand: what was typed is never lost, and what was changed is written down."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from orchard.models import AuditEntry
from orchard.roles import Role
from orchard.web import state
from orchard.web.access import check_role
from statecore.domain.entries import Entry
from statecore.domain.errors import InvalidInput, StateError, TooLarge, VersionConflict
from statecore.services import EngineAway, EngineBusy, editing, migration_flag, namespaced, run

AUDITED_CHARS = 20_000
"""Of a larger value, the audit log keeps the beginning."""


def entry(request: HttpRequest, namespace: str) -> HttpResponse:
    """An entry's page; a ``POST`` to it saves what was typed there."""
    return save(request, namespace) if request.method == "POST" else state.entry(request, namespace)


@require_POST
@login_required
def save(request: HttpRequest, namespace: str) -> HttpResponse:
    """Set an entry to what was typed, if nobody has changed it since; otherwise show both."""
    _check(request)
    key, typed = request.GET.get("key", ""), request.POST.get("value", "")
    mark = request.POST.get("mark", "")
    try:
        before = run(editing.save(namespace, key, editing.parse_text(typed), mark=mark))
        after = run(namespaced.get(namespace, key))
    except (StateError, EngineAway, EngineBusy) as fault:
        return _show_again(request, namespace, key, typed, fault)
    _note(request, "state.set", namespace, key, before, after)
    messages.success(request, _("Saved."))
    return HttpResponseRedirect(state.entry_url(namespace, key))


@require_POST
@login_required
def delete(request: HttpRequest, namespace: str) -> HttpResponse:
    """Delete an entry that is still what was shown."""
    _check(request)
    key, mark = request.GET.get("key", ""), request.GET.get("mark", "")
    if "confirmed" not in request.POST:
        return _ask(request, "delete_entry", namespace, key)
    try:
        before = run(editing.remove(namespace, key, mark=mark))
    except (StateError, EngineAway, EngineBusy) as fault:
        messages.error(request, explain(fault))
        return HttpResponseRedirect(state.entry_url(namespace, key))
    _note(request, "state.delete", namespace, key, before, None)
    messages.success(request, _("“%(key)s” was deleted.") % {"key": key})
    return HttpResponseRedirect(reverse("namespace-page", args=[namespace]))


@require_POST
@login_required
def reset_migration(request: HttpRequest) -> HttpResponse:
    """Delete the mark that says that the state of an older system was taken over."""
    _check(request)
    if "confirmed" not in request.POST:
        return _ask(request, "reset_migration", *state.FLAG)
    try:
        before = run(namespaced.get(*state.FLAG))
        done = run(migration_flag.reset())
    except (StateError, EngineAway, EngineBusy) as fault:
        messages.error(request, explain(fault))
        return HttpResponseRedirect(state.entry_url(*state.FLAG))
    if done:
        _note(request, "state.reset_migration", *state.FLAG, before, None)
        messages.success(request, _("The mark is gone; the next start takes over old files again."))
    else:
        messages.error(request, _("Somebody else has reset it already."))
    return HttpResponseRedirect(reverse("namespace-page", args=[state.FLAG[0]]))


def explain(fault: Exception) -> str:
    """Why something was not saved, for people."""
    match fault:
        case editing.NotJson():
            place = {"line": fault.line, "column": fault.column, "reason": fault.reason}
            return _("Not JSON: line %(line)s, column %(column)s: %(reason)s") % place
        case TooLarge():
            return _("Too large: %(why)s") % {"why": fault}
        case InvalidInput():
            return _("This value is refused: %(why)s") % {"why": fault}
        case VersionConflict():
            return _("Somebody else has changed this entry meanwhile. Nothing was changed.")
        case EngineAway():
            return _("The state engine is away; nothing was changed. Try again.")
        case EngineBusy():
            return _("This entry changes too often right now. Try again.")
    return str(fault)


def _show_again(
    request: HttpRequest, namespace: str, key: str, typed: str, fault: Exception
) -> HttpResponse:
    """The page with what was typed, and why it was not saved."""
    context: dict[str, Any] = {"namespace": namespace, "key": key, "may_act": True, "page": "entry"}
    try:
        context = state.entry_context(request, namespace, key)
    except InvalidInput as wrong:
        return state.say_missing(request, wrong)
    except EngineAway:
        context |= {"away": True, "mark": request.POST.get("mark", "")}
    is_conflict = isinstance(fault, VersionConflict)
    context |= {"typed": typed, "fault": explain(fault), "conflict": is_conflict, "edited": True}
    if isinstance(fault, editing.NotJson):
        context |= {"line": fault.line, "column": fault.column}
    if not is_conflict:  # whoever saves again after a conflict has seen the other value
        context["mark"] = request.POST.get("mark", "")
    return render(request, "orchard/entry.html", context, status=_status(fault))


def _status(fault: Exception) -> int:
    if isinstance(fault, VersionConflict):
        return 409
    return 400 if isinstance(fault, StateError) else 503


def _check(request: HttpRequest) -> None:
    check_role(request, Role.ADMIN)


def _ask(request: HttpRequest, question: str, namespace: str, key: str) -> HttpResponse:
    context = {"question": question, "subject": f"{namespace}/{key}"}
    context["back"] = state.entry_url(namespace, key)
    return render(request, "orchard/confirm.html", context)


def _note(
    request: HttpRequest, action: str, namespace: str, key: str,
    before: Entry | None, after: Entry | None,
) -> None:  # fmt: skip
    AuditEntry.objects.create(
        who=request.user.get_username(), action=action, subject=f"{namespace}/{key}"[:200],
        facts={"before": _audited(before), "after": _audited(after)},
    )  # fmt: skip


def _audited(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    text = entry.raw.decode("utf-8", "replace")
    kept = {"version": entry.version, "value": text[:AUDITED_CHARS]}
    return kept | ({"bytes": len(entry.raw)} if len(text) > AUDITED_CHARS else {})
