"""``/api/v1/processes``: they announce themselves, show life, and end."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import (
    CleanedAnswer,
    EndedAnswer,
    ProcessAnswer,
    ProcessBeatAnswer,
    ProcessesAnswer,
    ZombiesAnswer,
)
from statecore.api.bodies import RegisterProcessBody
from statecore.api.documents import described
from statecore.api.issues import OfIssues
from statecore.api.parsing import parse_body
from statecore.api.requests import PageQuery
from statecore.api.shapes import process_shape
from statecore.api.signals import note
from statecore.api.views import AsyncView, View, parse
from statecore.services import arun, processes, run
from statecore.services.engine import get_limits

_WRONG = {400: "The id cannot be a name"}
_UNKNOWN = _WRONG | {404: "Nothing is known of the process"}


class Processes(OfIssues, View):
    """All processes."""

    @described(ProcessesAnswer, query=PageQuery, operation_id="list_processes")
    def get(self, request: Request) -> Response:
        """List the active processes, those heard of last first, with what each holds."""
        page = run(processes.list_page(**parse(PageQuery, request.query_params)))
        shown = [process_shape(one) | {"issues": held} for one, held in page.processes]
        return Response({"processes": shown, "next": page.next, "count": page.count})

    @described({201: ProcessAnswer}, body=RegisterProcessBody, operation_id="register_process")
    def post(self, request: Request) -> Response:
        """Announce a process; one that is known begins anew."""
        told = parse_body(RegisterProcessBody, request.data)
        process = run(
            processes.register(
                told.process_id, pid=told.pid, host=told.host, role=told.role,
                task_type=told.task_type,
            )
        )  # fmt: skip
        return Response(process_shape(process) | {"ttl_s": get_limits().process_ttl_ms / 1000}, 201)


class OneProcess(OfIssues, View):
    """One process."""

    @described(ProcessAnswer, refusals=_UNKNOWN, operation_id="get_process")
    def get(self, request: Request, process_id: str) -> Response:
        """What is known of a process, and what it holds."""
        process = run(processes.get(process_id))
        return Response(process_shape(process) | {"issues": run(processes.held_by(process_id))})

    @described(EndedAnswer, refusals=_UNKNOWN, operation_id="end_process")
    def delete(self, request: Request, process_id: str) -> Response:
        """End a process: the issues that it held are checked in as ``error``."""
        held = run(processes.clean_up(process_id))
        note(request, "process.clean_up", process_id, issues=held)
        return Response({"process_id": process_id, "issues": held})


class Heartbeat(OfIssues, AsyncView):
    """Signs of life."""

    @described(
        ProcessBeatAnswer, refusals=_WRONG, request=None, operation_id="send_process_heartbeat"
    )
    async def post(self, request: Request, process_id: str) -> Response:
        """Note a sign of life of a process and of all that it holds; registers one not known."""
        ttl_ms = await arun(processes.heartbeat(process_id))
        return Response({"process_id": process_id, "ttl_s": ttl_ms / 1000})


class Zombies(OfIssues, View):
    """Processes that are dead, or silent for too long."""

    @described(ZombiesAnswer, operation_id="list_zombies")
    def get(self, request: Request) -> Response:
        """List the processes that were silent for too long."""
        found = [one.process_id for one, _ in run(processes.list_zombies())]
        return Response({"processes": found, "count": len(found)})

    @described(CleanedAnswer, request=None, operation_id="clean_zombies")
    def post(self, request: Request) -> Response:
        """End them: the issues that they held are checked in as ``error``."""
        ended = run(processes.clean_zombies())
        for name, held in ended.items():
            note(request, "process.clean_up", name, issues=held)
        shown = [{"process_id": name, "issues": held} for name, held in ended.items()]
        return Response({"processes": shown, "count": len(shown)})
