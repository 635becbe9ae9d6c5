"""The form that takes a push node into the fleet."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _

from orchard.domain.errors import InvalidInput, OrchardError
from orchard.services import nodes
from orchard.web.access import Done, action
from orchard.web.words import explain_error


@action("worker.add")
def add_node(request: HttpRequest) -> Done:
    """Add a push node by its address; it is asked how it is."""
    try:
        worker = nodes.add(request.POST.get("url", "")[:300], must_be_new=True).worker
    except InvalidInput as wrong:
        reason = explain_error(str(wrong).partition(": ")[2])
        words = _("This address was not added: %(reason)s.") % {"reason": reason}
        raise OrchardError(words) from None
    facts = {"worker": worker.worker_id}
    if worker.is_away:
        words = _("The node was added. It does not answer yet; it will be tried again.")
        return Done(words, facts)
    return Done(_("The node was added; it answers."), facts)
