"""``/api/v1/locks``: for whatever else must not be done by two at once."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import LockAnswer, LocksAnswer, ReleasedAnswer
from statecore.api.bodies import AcquireBody, ReleaseBody, RenewBody
from statecore.api.checkouts import milliseconds
from statecore.api.documents import described
from statecore.api.issues import OfIssues
from statecore.api.parsing import parse_body
from statecore.api.requests import PageQuery, ReleaseQuery
from statecore.api.shapes import lock_shape
from statecore.api.signals import aannounce, rules
from statecore.api.views import AsyncView, View, parse
from statecore.domain.errors import InvalidInput
from statecore.services import arun, locks, run

_UNKNOWN = {404: "Nobody holds the lock"}
_REFUSALS = _UNKNOWN | {409: "Another owner holds it (`holder`), or the token is stale"}


class Locks(OfIssues, View):
    """All locks."""

    @described(LocksAnswer, query=PageQuery, operation_id="list_locks")
    def get(self, request: Request) -> Response:
        """List the locks that are held, those first whose lease ends first."""
        page = run(locks.list_page(**parse(PageQuery, request.query_params)))
        shown = [lock_shape(lock) for lock in page.locks]
        return Response({"locks": shown, "next": page.next, "count": page.count})


class OneLock(OfIssues, AsyncView):
    """One lock."""

    @described(LockAnswer, refusals=_UNKNOWN, operation_id="get_lock")
    async def get(self, request: Request, name: str) -> Response:
        """Who holds a lock, and until when."""
        return Response(lock_shape(await arun(locks.get(name))))

    @described(
        LockAnswer, body=AcquireBody, operation_id="acquire_lock",
        refusals={409: "Another owner holds it, and held it for all of `wait_s`: see `holder`"},
    )  # fmt: skip
    async def put(self, request: Request, name: str) -> Response:
        """Take a lock as soon as it is free; its owner gets it again, with the same token."""
        told = parse_body(AcquireBody, request.data)
        ttl_ms = milliseconds(told.ttl_s)
        if told.wait_s:
            steps = locks.wait_for(name, told.owner, ttl_ms, timeout_s=told.wait_s)
        else:
            steps = locks.acquire(name, told.owner, ttl_ms)
        return Response(lock_shape(await arun(steps)))

    @described(LockAnswer, body=RenewBody, refusals=_REFUSALS, operation_id="renew_lock")
    async def patch(self, request: Request, name: str) -> Response:
        """Let the lease of the owner last from now."""
        told = parse_body(RenewBody, request.data)
        steps = locks.renew(name, told.owner, told.token, milliseconds(told.ttl_s))
        return Response(lock_shape(await arun(steps)))

    @described(
        ReleasedAnswer, body=ReleaseBody, query=ReleaseQuery, refusals=_REFUSALS,
        operation_id="release_lock",
    )  # fmt: skip
    async def delete(self, request: Request, name: str) -> Response:
        """Give a lock back; owner and token stand in the body or in the address.

        An administrator may leave the owner out, and takes the lock from whoever has it.
        """
        asked = parse(ReleaseQuery, request.query_params)
        given = request.data or {}
        told = parse_body(ReleaseBody, given | asked if isinstance(given, dict) else given)
        if told.owner is not None:
            await arun(locks.release(name, told.owner, told.token))
        elif rules(request):
            taken = await arun(locks.force_release(name, told.token))
            await aannounce(request, "lock.release", name, owner=taken.owner)
        else:
            raise InvalidInput("owner", "is required")
        return Response({"name": name, "released": True})
