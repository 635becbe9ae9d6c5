"""What each action of the wire protocol does (CONTRACTS section 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from statecore import codec, keys
from statecore.ambassador.messages import Request, quote
from statecore.domain import issues, names
from statecore.domain.errors import InvalidInput, StateError, UnknownProcess
from statecore.domain.issues import DEFAULT_TASK, NUMBER_MAX, Claimant, Holder, Issue
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts, orphans, processes
from statecore.services.engine import get_limits
from statecore.store import ops
from statecore.store.steps import Steps, read

Result = dict[str, Any]


class Task(NamedTuple):
    """What is done for a request, in steps that lead to its result.

    What is ``promised`` is the result known beforehand, of an action that must
    not be done twice: it is kept in the very commit that does it.
    """

    steps: Steps[Any]
    promised: Result | None = None


class UnknownAction(StateError):
    """There is no such action."""

    code = "unknown_action"


def plan(request: Request) -> Task:
    """What to do for a request; nothing is done yet.

    Raises:
        UnknownAction: there is no such action.
        InvalidInput: something in the request is not what it should be.
    """
    message = request.message
    action = message.get("action")
    if not isinstance(action, str):
        raise InvalidInput("action", "must be text")
    make = ACTIONS.get(action)
    if make is None:
        raise UnknownAction(f"Unknown action: {quote(action)}")
    return make(message, names.check_name("processId", message.get("processId")))


def _check_out(message: Mapping[str, Any], process_id: str) -> Task:
    number = _number(message)
    holder = Holder(
        process_id=process_id, pid=_pid(message), host=_optional(message, "host"),
        task_type=_optional(message, "taskType") or DEFAULT_TASK,
        # A client of this protocol shows life by its process alone.
        ttl_ms=get_limits().process_ttl_ms,
    )  # fmt: skip
    promised = {
        "message": f"Issue #{number} checked out", "issueNumber": number,
        "processId": process_id, "status": str(IssueStatus.PROCESSING),
    }  # fmt: skip
    return Task(checkouts.check_out(number, holder), promised)


def _check_in(message: Mapping[str, Any], process_id: str) -> Task:
    number, result = _number(message), message.get("metadata")
    status = issues.check_status(message.get("finalStatus") or IssueStatus.COMPLETED)
    claimant = Claimant(process_id=process_id)
    promised = {
        "message": f"Issue #{number} checked in", "issueNumber": number,
        "processId": process_id, "finalStatus": str(status),
    }  # fmt: skip
    steps = checkouts.check_in(number, status, {} if result is None else result, claimant)
    return Task(steps, promised)


def _heartbeat(message: Mapping[str, Any], process_id: str) -> Task:
    return Task(_beat(process_id))


def _beat(process_id: str) -> Steps[Result]:
    ttl_ms = yield from processes.heartbeat(process_id)
    told = f"Heartbeat of process {process_id} noted"
    return {"message": told, "processId": process_id, "ttl": ttl_ms // 1000}


def _clean_up(message: Mapping[str, Any], process_id: str) -> Task:
    return Task(_end(process_id))


def _end(process_id: str) -> Steps[Result]:
    told: Result = {"message": f"Process {process_id} cleaned up", "processId": process_id}
    try:
        given_back = yield from processes.clean_up(process_id)
    except UnknownProcess:
        given_back = []
    return {**told, "issueNumber": given_back[0]} if given_back else told


def _get_status(message: Mapping[str, Any], process_id: str) -> Task:
    return Task(_status_of(_number(message)))


def _status_of(number: int) -> Steps[Result]:
    status, metadata = yield from read(
        ops.WholeHash(keys.issue_status(number)), ops.WholeHash(keys.issue_metadata(number))
    )
    return {"issueNumber": number, "status": _strings(status), "metadata": _strings(metadata)}


def _list_processing(message: Mapping[str, Any], process_id: str) -> Task:
    return Task(_all_held())


def _all_held() -> Steps[Result]:
    held = yield from orphans.list_held()
    hashes = yield from read(*(ops.WholeHash(keys.issue_status(one.number)) for one in held))
    found = [_listed(one, fields) for one, fields in zip(held, hashes, strict=True)]
    return {"count": len(found), "issues": found}


def _listed(issue: Issue, fields: Mapping[str, bytes]) -> Result:
    """An issue in a list; its hash may have been deleted by hand."""
    ours = {name: raw for name, raw in codec.issue_hash(issue).items() if raw is not None}
    return {**_strings(fields or ours), "issueNumber": issue.number}


ACTIONS: Mapping[str, Callable[[Mapping[str, Any], str], Task]] = {
    "checkout_issue": _check_out,
    "checkin_issue": _check_in,
    "heartbeat": _heartbeat,
    "get_issue_status": _get_status,
    "list_processing_issues": _list_processing,
    "cleanup_process": _clean_up,
}


def _number(message: Mapping[str, Any]) -> int:
    try:
        return issues.check_number(message.get("issueNumber"))
    except InvalidInput:
        raise InvalidInput(
            "issueNumber", f"must be a whole number from 1 to {NUMBER_MAX}"
        ) from None


def _pid(message: Mapping[str, Any]) -> int | None:
    pid = message.get("pid")
    if pid is None:
        return None
    if isinstance(pid, bool) or not isinstance(pid, int) or not 0 < pid <= NUMBER_MAX:
        raise InvalidInput("pid", "must be a whole number above 0")
    return pid


def _text(message: Mapping[str, Any], name: str) -> str:
    return names.check_key(name, message.get(name))


def _optional(message: Mapping[str, Any], name: str) -> str | None:
    return None if message.get(name) is None else _text(message, name)


def _strings(fields: Mapping[str, bytes]) -> dict[str, str]:
    return {name: raw.decode("utf-8", "replace") for name, raw in fields.items()}
