"""The kinds of files that there are (CONTRACTS section 3), and the entries that each holds."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from statecore import codec
from statecore.domain.entries import ISSUES
from statecore.domain.errors import InvalidInput
from statecore.domain.issues import Issue
from statecore.domain.lifecycle import IssueStatus
from statecore.legacy_files.plan import Item, Unreadable
from statecore.legacy_files.records import clean_number, clean_record
from statecore.store.file_formats import NotJson, read_entries

BOM = b"\xef\xbb\xbf"
BARE_LIST = "processed-issues.json"


def read_unified(namespace: str, data: bytes) -> list[Item]:
    """The entries of ``unified-{namespace}.json``.

    Raises:
        Unreadable: it is no JSON object, or damaged.
    """
    try:
        raws = read_entries(data)
    except NotJson as fault:
        raise Unreadable(str(fault)) from None
    if namespace == ISSUES:
        return list(_each_once(_issue_items(raws)))
    return [Item(namespace=namespace, key=key, raw=raw) for key, raw in raws.items()]


def _issue_items(raws: Mapping[str, bytes]) -> Iterator[Item]:
    # Keys in their proper form come first: they are the ones to stay.
    for key in sorted(raws, key=lambda key: clean_number(key) != key):
        number = clean_number(key)
        if number is None:
            yield Item(namespace=ISSUES, key=key, raw=raws[key])
        else:
            yield _read_issue(key, number, raws[key])


def _read_issue(key: str, number: str, raw: bytes) -> Item:
    try:
        return _issue_item(key, number, codec.decode_json(raw), raw)
    except InvalidInput as fault:  # a number with thousands of digits
        return Item(namespace=ISSUES, key=key, refused=str(fault))


def _issue_item(key: str, number: str, found: Any, raw: bytes = b"") -> Item:
    """The entry of an issue; in the very words of ``raw`` when they will do."""
    if isinstance(found, str):
        found = {"status": found}
    if not isinstance(found, dict):
        kind = type(found).__name__
        return Item(namespace=ISSUES, key=key, refused=f"a record must be an object, not {kind}")
    record, notes = clean_record(found)
    if record == found and raw:
        return Item(namespace=ISSUES, key=number, raw=raw, notes=notes)
    return _item(ISSUES, number, record, notes)


def _issue_status(whole: Any) -> Iterator[Item]:
    """``issue-status.json``: records by number; what else it says is kept as well."""
    table = _table(whole)
    for key, found in sorted(_table(table.get("issues", {}), "issues").items(), key=_last):
        if number := clean_number(key):
            yield _issue_item(key, number, found)
        else:
            yield Item(namespace=ISSUES, key=key, refused="no number of an issue")
    if rest := {name: value for name, value in table.items() if name != "issues"}:
        yield _item("config", "issueStatus", rest)


def _processed_issues(whole: Any) -> Iterator[Item]:
    """``processed-issues.json``: numbers of issues that are done."""
    for found in _list(whole):
        said = dict(found) if isinstance(found, dict) else {}
        stands_for = said.pop("issueNumber", said.pop("number", None)) if said else found
        if number := clean_number(stands_for):
            done = codec.issue_record(Issue(number=int(number), status=IssueStatus.COMPLETED))
            yield _issue_item(number, number, {**done, **said})
        else:
            yield Item(namespace=ISSUES, key=_shown(found), refused="no number of an issue")


def _processed_comments(whole: Any) -> Iterator[Item]:
    """``processed-comments.json``: for each issue the comments that were answered."""
    for key, found in _table(whole).items():
        yield _item("comments", key, found)


def _running_tasks(whole: Any) -> Iterator[Item]:
    """``running-tasks.json``: tasks by their ids; they count as running."""
    for key, found in _table(whole).items():
        if isinstance(found, dict):
            yield _item("tasks", key, {**found, "status": found.get("status") or "running"})
        else:
            yield Item(namespace="tasks", key=key, refused="a task must be an object")


def _pending_tasks(whole: Any) -> Iterator[Item]:
    """``pending-tasks.json``: tasks that wait, in this order.

    Their keys follow from what they say, so that reading again finds the same ones.
    """
    seen: Counter[str] = Counter()
    for place, found in enumerate(_list(whole)):
        if not isinstance(found, dict):
            reason = "a task must be an object"
            yield Item(namespace="tasks", key=_shown(found), refused=reason)
            continue
        name = _task_name(found)
        seen[name] += 1
        key = name if seen[name] == 1 else f"{name}-{seen[name]}"
        task = {**found, "status": found.get("status") or "pending", "queuePosition": place}
        yield _item("tasks", key, task)


def _task_name(task: Mapping[str, Any]) -> str:
    named = task.get("id") or task.get("taskId")
    if isinstance(named, str | int) and len(str(named)) <= 100:
        return f"pending-{named}"
    whole = codec.encode_json({name: task[name] for name in sorted(task)})
    return f"pending-{hashlib.sha256(whole).hexdigest()[:16]}"


def _last_run(whole: Any) -> Iterator[Item]:
    """``last-run.json``: one object."""
    yield _item("config", "lastRun", _table(whole))


OLD_KINDS: Mapping[str, Callable[[Any], Iterator[Item]]] = {
    BARE_LIST: _processed_issues,
    "issue-status.json": _issue_status,
    "processed-comments.json": _processed_comments,
    "running-tasks.json": _running_tasks,
    "pending-tasks.json": _pending_tasks,
    "last-run.json": _last_run,
}
"""The older kinds of files, those first that others know better."""


def read_old(name: str, data: bytes) -> list[Item]:
    """The entries of a file of an older kind.

    Raises:
        Unreadable: it is no JSON of its kind, or damaged.
    """
    try:
        whole = codec.decode_json(data.removeprefix(BOM).decode(), "the file")
        return list(_each_once(OLD_KINDS[name](whole)))
    except UnicodeDecodeError as fault:
        raise Unreadable(f"is no UTF-8 text: {fault}") from None
    except (InvalidInput, RecursionError) as fault:
        raise Unreadable(str(fault)) from None


def _item(namespace: str, key: str, value: Any, notes: tuple[str, ...] = ()) -> Item:
    try:
        raw = codec.encode_json(value)
    except (InvalidInput, UnicodeEncodeError) as fault:
        return Item(namespace=namespace, key=key, refused=str(fault))
    return Item(namespace=namespace, key=key, raw=raw, notes=notes)


def _each_once(items: Iterator[Item]) -> Iterator[Item]:
    """The items; one that says something else of the same entry than an earlier one is refused."""
    found: dict[tuple[str, str], bytes] = {}
    for item in items:
        place = item.namespace, item.key
        if item.refused or place not in found:
            found.setdefault(place, item.raw)
            yield item
        elif item.raw != found[place]:
            yield Item(namespace=item.namespace, key=item.key, refused="stands in the file twice")


def _table(found: Any, what: str = "the file") -> dict[str, Any]:
    if not isinstance(found, dict):
        raise Unreadable(f"{what} must hold an object, not {type(found).__name__}")
    return found


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise Unreadable(f"the file must hold a list, not {type(found).__name__}")
    return found


def _last(one: tuple[str, Any]) -> bool:
    return clean_number(one[0]) != one[0]


def _shown(found: Any) -> str:
    return repr(found)[:80]
