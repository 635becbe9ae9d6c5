"""How a call becomes a request: what both drivers have in common."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import httpx

from orchard_client.call import Call
from orchard_client.retrying import Attempts
from orchard_client.settings import Server
from orchard_client.version import __version__

TIMEOUT_S = 30.0
CONNECT_S = 10.0


class Driver:
    """What both have in common: how a call becomes a request."""

    def __init__(self, server: Server, patience_s: float, timeout_s: float) -> None:
        self.server = server
        self._patience_s = patience_s
        self._timeout_s = timeout_s

    def attempts(self, call: Call[Any]) -> Attempts:
        """When to try a call again."""
        return Attempts(call, self._patience_s)

    @contextmanager
    def request(
        self, http: httpx.Client | httpx.AsyncClient, call: Call[Any]
    ) -> Iterator[httpx.Request]:
        """The request of a call, for one attempt."""
        with ExitStack() as files:
            timeout_s = self._timeout_s if call.timeout_s is None else call.timeout_s
            timeout = httpx.Timeout(timeout_s + call.wait_s, connect=min(timeout_s, CONNECT_S))
            yield http.build_request(
                call.method, self.server.url + call.path, params=dict(call.query) or None,
                headers=_headers(call), timeout=timeout, **_body(call, files),
            )  # fmt: skip

    def options(self, verify: ssl.SSLContext | bool, trust_env: bool) -> dict[str, Any]:
        """How HTTPX is to be set up."""
        headers = {"User-Agent": f"orchard-client/{__version__}", "Accept": "*/*"}
        if self.server.token:
            headers["Authorization"] = f"Bearer {self.server.token}"
        return {"headers": headers, "verify": verify, "trust_env": trust_env}


def _headers(call: Call[Any]) -> dict[str, str]:
    kind = {} if call.body is None else {"Content-Type": call.kind}
    return kind | dict(call.headers)


def _body(call: Call[Any], files: ExitStack) -> dict[str, Any]:
    if call.upload is None:
        return {"content": call.body}
    sending = files.enter_context(closing(call.upload.open()))
    return {"files": {"file": (call.upload.name, sending)}, "data": dict(call.form)}
