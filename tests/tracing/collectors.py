"""A collector of traces: takes OTLP over HTTP, as a real one does, and keeps what it was sent."""

from __future__ import annotations

import gzip
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from tests.listening import Listener, Request, body_of, say


class Told(NamedTuple):
    """One span, as the collector was told of it."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    begun_ns: int
    ended_ns: int
    is_error: bool
    facts: dict[str, str | int]


class Collector(Listener):
    """All spans that were sent here; while the gate is closed nobody is answered."""

    def __init__(self) -> None:
        self.spans: list[Told] = []
        self.paths: set[str] = set()
        super().__init__()
        self.gate.set()

    def of(self, trace_id: str) -> list[Told]:
        """The spans of one trace, in the order of their beginnings."""
        return sorted((one for one in self.spans if one.trace_id == trace_id), key=_begun)

    def post(self, request: Request) -> None:
        """Take the spans of a request, and thank for them."""
        body = body_of(request)
        self.gate.wait(120)
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.paths.add(request.path)
        self.spans += _read(body)
        answer = ExportTraceServiceResponse().SerializeToString()
        try:
            say(request, 200, answer, Content_Type="application/x-protobuf")
        except OSError:
            request.close_connection = True  # whoever asked has gone


def _read(body: bytes) -> list[Told]:
    asked = ExportTraceServiceRequest.FromString(body)
    return [
        _told(_values(group.resource.attributes).get("service.name", ""), span)
        for group in asked.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _told(service: str | int, span: ProtoSpan) -> Told:
    kind = ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
    return Told(
        str(service), span.name, kind, span.trace_id.hex(), span.span_id.hex(),
        span.parent_span_id.hex(), span.start_time_unix_nano, span.end_time_unix_nano,
        span.status.code == 2, _values(span.attributes),
    )  # fmt: skip


def _values(attributes) -> dict[str, str | int]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def _begun(one: Told) -> int:
    return one.begun_ns
