"""A local server that answers like GitHub's REST API for issues, labels and comments."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.listening import Listener, Passing, Request, body_of, say

TOKEN = "ghp_thisTokenMustNeverBeSeen0123456789"
REPOSITORY = "poppo/builder"
PREFIX = "/api/v3"


@dataclass
class Issue:
    """One issue as the server keeps it."""

    labels: list[str] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    deleted: bool = False


@dataclass
class Scripted:
    """An answer given once instead of the proper one."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"message": "scripted"}'
    after_doing: bool = False
    """The request is carried out all the same: only its answer is lost."""


@dataclass
class Answer:
    """What goes over the wire."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class _Handler(Passing):
    server: Any
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer takes 40 ms

    def setup(self) -> None:
        super().setup()
        self.server.listener.connections += 1

    do_DELETE = Passing.do_POST  # noqa: N815 - the name that http.server calls


class GitHubLike(Listener):
    """GitHub as far as label requests know it; everything asked of it is noted in ``asked``."""

    handler = _Handler

    def __init__(self) -> None:
        self.issues: dict[int, Issue] = {}
        self.asked: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        self.connections = 0
        self.scripted: list[Scripted] = []
        self.moved: dict[str, str] = {}
        """Old name of a repository -> where it is said to live now (a base address)."""
        self.repository = REPOSITORY
        self.silent = False
        """Takes requests and answers none of them until the gate is set."""
        self._lock = threading.Lock()
        super().__init__()
        self.base_url = f"{self.url}{PREFIX}"

    def get(self, request: Request) -> None:
        """The same for every verb."""
        self.post(request)

    def post(self, request: Request) -> None:
        """Answer as GitHub would, unless a test has it otherwise."""
        answer = self._answer(request, body_of(request))
        if self.silent:
            self.gate.wait(30)
            request.close_connection = True
            return
        raw = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        kind = {"Content-Type": "application/json; charset=utf-8"}
        say(request, answer.status, raw.encode(), **(kind | answer.headers))

    def writes(self) -> list[tuple[str, str]]:
        """What was asked that changes something."""
        return [one for one in self.asked if one[0] != "GET"]

    def comment(self, issue: int, body: str, at: datetime | None = None) -> dict[str, Any]:
        """Put a comment on an issue, as GitHub would."""
        stamp = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
        comments = self.issues[issue].comments
        made = {"id": len(comments) + 1, "body": body, "created_at": stamp, "updated_at": stamp}
        comments.append(made)
        return made

    def _answer(self, handler: Request, body: bytes) -> Answer:
        parts = urlsplit(handler.path)
        with self._lock:
            self.asked.append((handler.command, handler.path))
            self.agents.add(handler.headers.get("User-Agent", ""))
            scripted = self.scripted.pop(0) if self.scripted else None
            if scripted and not scripted.after_doing:
                return Answer(scripted.status, scripted.body, scripted.headers)
            proper = self._proper(handler, parts.path, parse_qs(parts.query), body)
        if scripted:
            return Answer(scripted.status, scripted.body, scripted.headers)
        return proper

    def _proper(
        self, handler: Request, path: str, query: dict[str, list[str]], body: bytes
    ) -> Answer:
        if handler.headers.get("Authorization", "").split()[-1:] != [TOKEN]:
            return Answer(401, {"message": "Bad credentials"})
        pieces = [unquote(piece) for piece in path.removeprefix(PREFIX).strip("/").split("/")]
        if not path.startswith(PREFIX) or pieces[0] != "repos" or len(pieces) < 5:
            return _not_found()
        name = "/".join(pieces[1:3])
        if name in self.moved:
            return self._moved(handler, name)
        issue = self.issues.get(int(pieces[4]))
        if name != self.repository or pieces[3] != "issues" or issue is None:
            return _not_found()
        if issue.deleted:
            return Answer(410, {"message": "This issue was deleted"})
        sent = json.loads(body) if body else None
        return self._on_issue(handler, int(pieces[4]), pieces[5:], query, sent)

    def _on_issue(
        self, handler: Request, number: int, rest: list[str], query: Any, sent: Any
    ) -> Answer:
        issue = self.issues[number]
        match handler.command, rest:
            case "GET", ["labels"]:
                return Answer(200, _labels(issue))
            case "POST", ["labels"]:
                return self._add(issue, sent["labels"] if isinstance(sent, dict) else sent)
            case "DELETE", ["labels", label]:
                return self._remove(issue, label)
            case "GET", ["comments"]:
                return self._page(handler, issue, query)
            case "POST", ["comments"]:
                if not 0 < len(sent["body"]) <= 65536:
                    return _unprocessable("body is too long (maximum is 65536 characters)")
                return Answer(201, self.comment(number, sent["body"]))
        return _not_found()

    def _add(self, issue: Issue, names: list[str]) -> Answer:
        if any(not name or len(name) > 50 for name in names):
            return _unprocessable("name is too long (maximum is 50 characters)")
        there = {label.casefold() for label in issue.labels}
        issue.labels += [name for name in names if name.casefold() not in there]
        return Answer(200, _labels(issue))

    def _remove(self, issue: Issue, name: str) -> Answer:
        kept = [label for label in issue.labels if label.casefold() != name.casefold()]
        if len(kept) == len(issue.labels):
            return Answer(404, {"message": "Label does not exist"})
        issue.labels = kept
        return Answer(200, _labels(issue))

    def _page(self, handler: Request, issue: Issue, query: dict[str, list[str]]) -> Answer:
        size = min(int(query.get("per_page", ["30"])[0]), 100)
        page = int(query.get("page", ["1"])[0])
        since = query.get("since", [""])[0]
        if since:
            datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").astimezone()
        found = [one for one in issue.comments if one["updated_at"] >= since]
        headers, last = {}, max(1, -(-len(found) // size))
        if page < last:
            kept = "".join(
                f"&{key}={query[key][0]}" for key in ("per_page", "since") if key in query
            )
            address = f"{self.base_url}{urlsplit(handler.path).path.removeprefix(PREFIX)}"
            headers["Link"] = (
                f'<{address}?page={page + 1}{kept}>; rel="next", '
                f'<{address}?page={last}{kept}>; rel="last"'
            )
        return Answer(200, found[(page - 1) * size : page * size], headers)

    def _moved(self, handler: Request, name: str) -> Answer:
        status = 301 if handler.command == "GET" else 307
        where = handler.path.removeprefix(PREFIX).replace(f"/repos/{name}", self.moved[name], 1)
        return Answer(status, {"message": "Moved Permanently"}, {"Location": where})


def _labels(issue: Issue) -> list[dict[str, Any]]:
    return [{"id": n, "name": name} for n, name in enumerate(issue.labels)]


def _not_found() -> Answer:
    return Answer(404, {"message": "Not Found"})


def _unprocessable(why: str) -> Answer:
    return Answer(422, {"message": "Validation Failed", "errors": [{"message": why}]})


def in_one_hour() -> str:
    """The header value of a primary rate limit that ends in an hour."""
    return str(int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))
