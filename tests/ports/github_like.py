"""A local server that answers like GitHub's REST API for issues, labels and comments."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

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


class GitHubLike:
    """GitHub as far as label requests know it; everything asked of it is noted in ``asked``."""

    def __init__(self) -> None:
        self.issues: dict[int, Issue] = {}
        self.asked: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        self.connections = 0
        self.scripted: list[Scripted] = []
        self.moved: dict[str, str] = {}
        """Old name of a repository -> where it is said to live now (a base address)."""
        self.repository = REPOSITORY
        self.released = threading.Event()
        self.silent = False
        """Takes requests and answers none of them until ``released`` is set."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.github = self  # type: ignore[attr-defined]
        self.base_url = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

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

    def answer(self, handler: _Handler, body: bytes) -> Answer:
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
        self, handler: _Handler, path: str, query: dict[str, list[str]], body: bytes
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
        self, handler: _Handler, number: int, rest: list[str], query: Any, sent: Any
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

    def _page(self, handler: _Handler, issue: Issue, query: dict[str, list[str]]) -> Answer:
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

    def _moved(self, handler: _Handler, name: str) -> Answer:
        status = 301 if handler.command == "GET" else 307
        where = handler.path.removeprefix(PREFIX).replace(f"/repos/{name}", self.moved[name], 1)
        return Answer(status, {"message": "Moved Permanently"}, {"Location": where})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer takes 40 ms

    def setup(self) -> None:
        super().setup()
        self.server.github.connections += 1  # type: ignore[attr-defined]

    def _serve(self) -> None:
        github: GitHubLike = self.server.github  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = github.answer(self, body)
        if github.silent:
            github.released.wait(30)
            self.close_connection = True
            return
        raw = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(raw.encode())))
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(raw.encode())

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _labels(issue: Issue) -> list[dict[str, Any]]:
    return [{"id": n, "name": name} for n, name in enumerate(issue.labels)]


def _not_found() -> Answer:
    return Answer(404, {"message": "Not Found"})


def _unprocessable(why: str) -> Answer:
    return Answer(422, {"message": "Validation Failed", "errors": [{"message": why}]})


def in_one_hour() -> str:
    """The header value of a primary rate limit that ends in an hour."""
    return str(int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))
