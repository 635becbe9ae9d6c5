"""Label requests to GitHub, or to a GitHub Enterprise of one's own."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from statecore.domain.labels import LabelRequest
from statecore.ports.deliveries import DeliveryFailed

BASE_URL = "https://api.github.com"
TIMEOUT_S = 10.0

PAGE = 100
"""Labels or comments in one answer: the most that GitHub gives."""

MAX_PAGES = 100
"""So many pages of comments are looked through for one of ours."""

CLOCKS_DIFFER = timedelta(hours=1)
"""How far our clock may be from GitHub's."""

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


class GitHubDelivery:
    """Labels and comments on the issues of one repository.

    Adding and removing labels is harmless when repeated; a comment carries an
    invisible mark with the id of its request, and is not posted where that is.
    """

    def __init__(
        self, repository: str, token: str, base_url: str = BASE_URL, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Get ready; nothing is asked of GitHub yet.

        ``repository`` is ``owner/name``; ``timeout_s`` is how long GitHub may be silent.

        Raises:
            ValueError: one of the settings cannot be right.
        """
        _check_settings(repository, token.strip(), base_url)
        # Not with the module: the client library takes 20 MB, and most run without GitHub.
        from statecore.ports.github_client import GitHubClient

        self._repository, self._base_url = repository, base_url
        self._client = GitHubClient(token.strip(), base_url, timeout_s)

    def __repr__(self) -> str:
        return f"GitHubDelivery({self._repository!r}, base_url={self._base_url!r})"

    def deliver(self, request: LabelRequest) -> None:
        """Change the labels of an issue and comment on it, as far as that is not done.

        Raises:
            DeliveryRefused: no such issue, no right to change it, or not a valid label.
            DeliveryFailed: GitHub is away, slow, broken, or asks to be left alone.
        """
        issue = f"/repos/{self._repository}/issues/{request.issue}"
        with self._client.connected():
            if request.add:
                self._client.ask("POST", f"{issue}/labels", body={"labels": list(request.add)})
            unwanted = [name for name in request.remove if name not in request.add]
            # An issue that took labels is there; otherwise look, or "no such issue" and
            # "no such label" would be the same answer.
            if unwanted and not request.add:
                unwanted = self._labels_there(issue, unwanted)
            for name in unwanted:
                self._client.ask("DELETE", f"{issue}/labels/{quote(name, safe='')}", may_lack=True)
            if request.comment:
                self._comment(issue, request)

    def close(self) -> None:
        """Nothing is held between deliveries."""

    def _labels_there(self, issue: str, names: list[str]) -> list[str]:
        answer = self._client.ask("GET", f"{issue}/labels", query={"per_page": PAGE})
        there = {str(label["name"]).casefold() for label in _entries(answer.content)}
        return [name for name in names if name.casefold() in there]

    def _comment(self, issue: str, request: LabelRequest) -> None:
        mark = f"<!-- orchard:{request.request_id} -->"
        if not self._has_comment(issue, mark, request):
            body = {"body": f"{request.comment}\n\n{mark}"}
            self._client.ask("POST", f"{issue}/comments", body=body)

    def _has_comment(self, issue: str, mark: str, request: LabelRequest) -> bool:
        """Whether the comment was posted before; older ones than the request are not read."""
        since = request.requested_at.astimezone(UTC) - CLOCKS_DIFFER
        query: dict[str, str | int] = {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "per_page": PAGE}
        for page in range(1, MAX_PAGES + 1):
            query["page"] = page
            answer = self._client.ask("GET", f"{issue}/comments", query=query)
            if any(mark in str(comment.get("body")) for comment in _entries(answer.content)):
                return True
            if not answer.has_next:
                return False
        raise DeliveryFailed(f"issue {request.issue} has too many comments to look through")


def _entries(content: Any) -> list[dict[str, Any]]:
    """A list as GitHub answers it; what stands between us and GitHub may answer anything."""
    if isinstance(content, list) and all(isinstance(one, dict) for one in content):
        return content
    raise DeliveryFailed("GitHub's answer is not a list")


def _check_settings(repository: str, token: str, base_url: str) -> None:
    address = urlsplit(base_url)
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError(f"The repository must be owner/name, not {repository!r}.")
    if not token or not (token.isascii() and token.isprintable()) or " " in token:
        raise ValueError("The GitHub token is empty or has characters that no token has.")
    if address.scheme not in ("http", "https") or not address.hostname or "@" in address.netloc:
        raise ValueError("The address of GitHub must be http(s)://host[/path], with no user in it.")
