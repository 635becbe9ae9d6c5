"""The client library for GitHub, and what its errors mean for a delivery.

Importing this module loads the library; only :mod:`statecore.ports.github` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
from githubkit import GitHub, TokenAuthStrategy
from githubkit.exception import (
    GitHubException,
    RateLimitExceeded,
    RequestError,
    RequestFailed,
    RequestTimeout,
)
from githubkit.response import Response

from statecore.ports.deliveries import DeliveryFailed, DeliveryRefused

REDIRECTS = 3
"""A repository that was renamed is followed so often."""

REST_S = 60.0
"""How long to leave GitHub alone when it asks for that and does not say how long."""

LONGEST_REST_S = 6 * 3600.0
"""A wrong header must not put a request to sleep for ever."""

_PASSING = frozenset({408, 409, 423, 425})
"""Statuses below 500 that mean: not now."""


class Answer(NamedTuple):
    """What GitHub answered, and whether there is another page."""

    content: Any
    has_next: bool


class GitHubClient:
    """One account at one GitHub. The library's own retries, sleeps and cache are off."""

    def __init__(self, token: str, base_url: str, timeout_s: float) -> None:
        self._token, self._timeout_s = token, timeout_s
        self._github = GitHub(
            TokenAuthStrategy(token), base_url=base_url, timeout=timeout_s, user_agent="orchard",
            auto_retry=False, http_cache=False, follow_redirects=False,
            # Made once: reading the certificates takes longer than the rest of a request.
            ssl_verify=httpx.create_ssl_context(),
        )  # fmt: skip

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Everything asked in this block, by this thread, goes over one connection."""
        with self._github:
            yield

    def ask(
        self, method: str, path: str, *, query: Mapping[str, str | int] | None = None,
        body: object = None, may_lack: bool = False,
    ) -> Answer:  # fmt: skip
        """Ask GitHub once. With ``may_lack``, 404 is an answer like another.

        Raises:
            DeliveryRefused: GitHub will never do it.
            DeliveryFailed: GitHub does not do it now.
        """
        address = path
        for _ in range(REDIRECTS + 1):
            response = self._send(method, address, query, body, may_lack)
            if response is None:
                return Answer(None, False)
            if not response.raw_response.is_redirect:
                return _read(response)
            address, query = self._next_address(response), None
        raise DeliveryRefused("GitHub redirects in a circle")

    def _send(
        self, method: str, path: str, query: Mapping[str, str | int] | None, body: object,
        may_lack: bool,
    ) -> Response[Any] | None:  # fmt: skip
        try:
            return self._github.request(method, path, params=query, json=body)
        except RequestFailed as error:
            if may_lack and error.response.status_code == 404:
                return None
            problem = self._explain(error)
        except (GitHubException, ValueError, OverflowError) as error:
            # ValueError, OverflowError: the library stumbles over numbers in odd headers.
            problem = self._explain(error)
        # Raised out here, so that no request with the token in its headers hangs on it.
        raise problem

    def _next_address(self, response: Response[Any]) -> str:
        """Where a redirect leads. The library's client would turn a POST into a GET."""
        here = response.raw_request.url
        there = here.join(response.headers["Location"])
        if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
            raise DeliveryRefused(f"GitHub sends us to another server, {there.host}: not followed")
        return str(there)

    def _explain(self, error: Exception) -> DeliveryFailed | DeliveryRefused:
        if isinstance(error, RateLimitExceeded):
            rest = error.retry_after.total_seconds()
            return DeliveryFailed("GitHub's rate limit is reached", _bounded(rest))
        if isinstance(error, RequestFailed):
            return self._explain_status(error.response)
        if isinstance(error, RequestTimeout):
            return DeliveryFailed(f"GitHub did not answer within {self._timeout_s:g} s")
        if isinstance(error, RequestError):
            cause = self._without_token(f"{type(error.exc).__name__}: {error.exc}")
            return DeliveryFailed(f"GitHub cannot be reached ({cause})")
        return DeliveryFailed("GitHub's answer was not understood", REST_S)

    def _explain_status(self, response: Response[Any]) -> DeliveryFailed | DeliveryRefused:
        status, said = response.status_code, self._without_token(_message(response))
        reason = f"GitHub answered {status}" + (f": {said}" if said else "")
        asked = _seconds(response.headers.get("Retry-After", ""))
        if status == 429 or (status == 403 and _speaks_of_a_limit(said)):
            return DeliveryFailed(reason, asked or REST_S)
        if status >= 500 or status in _PASSING:
            return DeliveryFailed(reason, asked)
        return DeliveryRefused(reason)

    def _without_token(self, text: str) -> str:
        return text.replace(self._token, "[token]")[:300]


def _read(response: Response[Any]) -> Answer:
    try:
        content = response.json()
    except ValueError:
        raise DeliveryFailed("GitHub's answer is not JSON") from None
    return Answer(content, "next" in response.raw_response.links)


def _message(response: Response[Any]) -> str:
    """Why GitHub says it refused: its message, and the details of a 422."""
    try:
        said = response.json()
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    errors = said.get("errors")
    details = [one.get("message") for one in errors or [] if isinstance(one, dict)]
    return "; ".join(str(one) for one in (said.get("message"), *details) if one)


def _speaks_of_a_limit(message: str) -> bool:
    """GitHub does not always send the headers of a rate limit with it."""
    return any(words in message.lower() for words in ("rate limit", "abuse detection"))


def _seconds(header: str) -> float | None:
    return _bounded(float(header)) if header.isascii() and header.isdigit() else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_REST_S)
