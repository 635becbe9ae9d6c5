"""The buttons of issues: take them from dead processes, check them in, set and forget them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orchard.web.access import Done, Line, Preview, action
from orchard.web.issue_shown import find_title
from orchard.web.issue_words import ISSUE_STATES, ORPHAN_REASONS
from statecore import codec
from statecore.domain.errors import InvalidInput
from statecore.domain.issues import Claimant, Issue, check_status
from statecore.domain.lifecycle import IssueStatus
from statecore.domain.orphans import Orphan
from statecore.services import checkouts, orphans, run
from statecore.wording import comment_on


def _preview_orphans(request: HttpRequest) -> Preview:
    """Which issues would be taken from their processes; of some, when some are named."""
    wanted = request.POST.getlist("number")
    found = [one for one in run(orphans.detect()) if not wanted or str(one.issue.number) in wanted]
    question = _("These issues are taken from their processes and become “error”.")
    return Preview(question, [_line(one) for one in found], _("There are no orphans."))


@action("issue.repair", preview=_preview_orphans)
def repair_orphans(request: HttpRequest) -> Done:
    """Take the orphans that were shown from their processes; others are left alone."""
    wanted = set(request.POST.getlist("number"))
    found = [one for one in run(orphans.detect()) if str(one.issue.number) in wanted]
    repaired = [one for one in found if run(orphans.repair(one, comment_on))]
    words = ngettext("%(n)d issue was repaired.", "%(n)d issues were repaired.", len(repaired))
    words %= {"n": len(repaired)}
    if left := len(wanted) - len(repaired):
        told = ngettext(
            "%(n)d was no orphan any more.", "%(n)d were no orphans any more.", left
        )  # fmt: skip
        words = f"{words} {told % {'n': left}}"
    facts = [{**_facts(one.issue), "reason": one.reason} for one in repaired]
    return Done(words, {"repaired": facts, "left_alone": left})


@action("issue.repair", "number", ask="repair_orphan")
def repair_one(request: HttpRequest, number: int) -> Done:
    """Take one orphan from its process."""
    found = [one for one in run(orphans.detect()) if one.issue.number == number]
    if not any(run(orphans.repair(one, comment_on)) for one in found):
        return Done(_("It was no orphan any more; nothing was changed."), {"left_alone": 1})
    facts = {"before": _facts(found[0].issue), "reason": found[0].reason}
    return Done(_("The issue was taken from its process."), facts)


@action("issue.check_in", "number", ask="check_in")
def check_in(request: HttpRequest, number: int) -> Done:
    """Take an issue from the holder that was shown, as whatever was chosen."""
    status = _status(request)
    before = run(checkouts.get(number))
    by = {"checkedInBy": request.user.get_username()}
    claimant = Claimant(token=_token(request))
    after = run(checkouts.check_in(number, status, by, claimant))
    words = _("The issue was checked in as “%(state)s”.") % {"state": ISSUE_STATES[status]}
    return Done(words, {"before": _facts(before), "after": _facts(after)})


@action("issue.set_status", "number")
def set_status(request: HttpRequest, number: int) -> Done:
    """Set the state of an issue that nobody holds."""
    status = _status(request)
    before = run(checkouts.get(number))
    after = run(checkouts.update(number, status))
    words = _("The issue was set to “%(state)s”.") % {"state": ISSUE_STATES[status]}
    return Done(words, {"before": _facts(before), "after": _facts(after)})


@action("issue.reset", "number", then="/ui/issues/", ask="reset_issue")
def reset(request: HttpRequest, number: int) -> Done:
    """Forget an issue."""
    before = run(checkouts.reset(number))
    return Done(_("The issue was forgotten."), {"before": codec.issue_record(before)})


def _line(one: Orphan) -> Line:
    number, holder = one.issue.number, one.issue.process_id or "—"
    told = f"{holder}: {ORPHAN_REASONS.get(one.reason, one.reason)}"
    what = f"#{number} {find_title(one.issue)}"
    return Line(what.strip(), told, ("number", str(number)))


def _status(request: HttpRequest) -> IssueStatus:
    return check_status(request.POST.get("status", ""))


def _token(request: HttpRequest) -> int:
    """The token of the holder that the person saw.

    Raises:
        InvalidInput: the form does not say it.
    """
    token = request.POST.get("token", "")
    if not (token.isascii() and token.isdigit() and len(token) <= 20):
        raise InvalidInput("token", "must be the token of the holder")
    return int(token)


def _facts(issue: Issue) -> dict[str, Any]:
    """What the audit log says of an issue."""
    return {
        "issue": issue.number, "status": str(issue.status), "process": issue.process_id,
        "token": issue.token,
    }  # fmt: skip
