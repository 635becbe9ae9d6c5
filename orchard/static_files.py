"""Static files without a second server, and without a thread for each waiting request."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise for an ASGI site.

    Its own middleware is sync only: Django would then run every view behind it
    from a thread, one for each long poll, and nobody would notice who hangs up.
    """

    async_capable = True

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Serve a static file, or hand the request on."""
        return self._pass_on(request) if self._is_async else super().__call__(request)

    async def _pass_on(self, request: HttpRequest) -> HttpResponseBase:
        find = self.find_file if self.autorefresh else self.files.get
        file = find(request.path_info)
        if file is None:
            answer: HttpResponseBase = await self.get_response(request)
            return answer
        return self.serve(file, request)

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """The file in one piece: static files are small, and sent compressed."""
        found = static_file.get_response(request.method, request.META)
        answer = HttpResponse(status=int(found.status))
        if found.file:
            with found.file:
                answer.content = found.file.read()
        del answer["content-type"]
        for name, value in found.headers:
            answer[name] = value
        return answer
