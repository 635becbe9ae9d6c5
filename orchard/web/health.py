"""Health: whether this process lives, and whether it can do its work."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from orchard.fallback.starting import standing
from orchard.services import EngineAway, arun, counts


async def alive(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


async def ready(request: HttpRequest) -> JsonResponse:
    """The state engine answers too; 503 with the reason when it does not."""
    try:
        await arun(counts.count_jobs())
    except EngineAway as away:
        answer = {"status": "not ready", "reason": str(away)}
        return JsonResponse(answer, status=503, headers={"Retry-After": "2"})
    if fallback := standing():
        told = {"store": "memory", "fallback_since": fallback.since, "reason": fallback.reason}
        return JsonResponse({"status": "ready", "fallback": True, **told})
    return JsonResponse({"status": "ready"})
