"""The buttons of webhooks; for admins, as they send what happens to other sites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orchard.domain.errors import InvalidInput
from orchard.roles import Role
from orchard.web.access import Done, NotDone, Secret, action
from orchard.web.words import explain_error
from orchard.webhooks import deliveries, endpoints
from orchard.webhooks.models import Endpoint

T = TypeVar("T")


@action("webhook.create", needs=Role.ADMIN)
def add(request: HttpRequest) -> Done:
    """Tell a program of what happens from now on."""
    asked = _form(request)
    made, secret = _checked(lambda: endpoints.create(**asked))
    return Done(_("The webhook was made."), {"url": made.url}, made.uid, _shown(secret))


@action("webhook.change", "uid", needs=Role.ADMIN)
def change(request: HttpRequest, uid: str) -> Done:
    """Change where it is told, and of what."""
    before, asked = endpoints.get(uid), _form(request)
    _checked(lambda: endpoints.change(uid, **asked))
    return Done(_("The webhook was changed."), {"before": _facts(before), "after": asked})


@action("webhook.enable", "uid", needs=Role.ADMIN)
def enable(request: HttpRequest, uid: str) -> str:
    """Tell it again; what waits is sent now."""
    _checked(lambda: endpoints.change(uid, is_enabled=True))
    return _("The webhook is told of what happens from now on; what waits for it is sent.")


@action("webhook.disable", "uid", needs=Role.ADMIN)
def disable(request: HttpRequest, uid: str) -> str:
    """Tell it nothing until it is enabled again."""
    _checked(lambda: endpoints.change(uid, is_enabled=False))
    return _("The webhook is told nothing until it is enabled again.")


@action("webhook.rotate", "uid", ask="rotate_webhook", needs=Role.ADMIN)
def rotate(request: HttpRequest, uid: str) -> Done:
    """Make a new secret; the old one signs, too, for a day."""
    secret = endpoints.rotate(uid)[1]
    return Done(_("The webhook has a new secret."), secret=_shown(secret))


@action("webhook.delete", "uid", then="/ui/webhooks/", ask="delete_webhook", needs=Role.ADMIN)
def delete(request: HttpRequest, uid: str) -> Done:
    """Tell a program no longer, and forget what it was told."""
    gone = endpoints.remove(uid)
    return Done(_("The webhook was deleted."), {"url": gone.url})


@action("webhook.test", "uid", needs=Role.ADMIN)
def send_test(request: HttpRequest, uid: str) -> str:
    """Send a message that says nothing."""
    _checked(lambda: endpoints.send_test(uid))
    return _("A test is on its way; it is listed below.")


@action("webhook.replay", "uid", needs=Role.ADMIN)
def replay(request: HttpRequest, uid: str, pk: int) -> Done:
    """Send one message again."""
    deliveries.replay(uid, pk)
    return Done(_("The message is sent again, with the same id."), {"delivery": pk})


@action("webhook.replay_failed", "uid", needs=Role.ADMIN)
def replay_failed(request: HttpRequest, uid: str) -> Done:
    """Send all again that was given up."""
    count = deliveries.replay_failed(uid)
    words = ngettext("%(n)d message is sent again.", "%(n)d messages are sent again.", count)
    return Done(words % {"n": count}, {"count": count})


def _form(request: HttpRequest) -> dict[str, Any]:
    return {
        "url": request.POST.get("url", "").strip(),
        "description": request.POST.get("description", "").strip(),
        "types": request.POST.getlist("types"),
    }  # fmt: skip


def _facts(one: Endpoint) -> dict[str, Any]:
    return {"url": one.url, "description": one.description, "types": one.types}


def _checked(do: Callable[[], T]) -> T:
    """What comes of it; what is wrong is said in the viewer's language."""
    try:
        return do()
    except InvalidInput as wrong:
        reason = explain_error(str(wrong).partition(": ")[2])
        raise NotDone(_("Nothing was changed: %(reason)s.") % {"reason": reason}) from None


def _shown(secret: str) -> Secret:
    note = _("The receiver checks signatures with it. Keep it as you would a password.")
    return Secret(_("The secret of a webhook"), secret, note)
