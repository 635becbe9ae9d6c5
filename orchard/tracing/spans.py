"""Spans of this process, sent to a collector by OpenTelemetry's SDK.

Only here it is imported. Spans wait in a bounded queue for a thread of their own: a
collector that is slow or away costs spans, never work. The ``OTEL_*`` variables hold.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from orchard.tracing.parents import Parent, parse
from orchard_client.version import __version__

BY_ENVIRONMENT = "otel"
"""An address that leaves it to ``OTEL_EXPORTER_OTLP_ENDPOINT`` where spans go."""
CLOSE_S = 3.0
"""How long the end of a process waits for its last spans to be sent, in seconds."""

Attributes = Mapping[str, str | int | float | bool]

_next_id: ContextVar[int] = ContextVar("next_span_id", default=0)


class _Ids(RandomIdGenerator):
    """Ids of spans: drawn, unless one follows from the name of what it stands for."""

    def generate_span_id(self) -> int:
        return _next_id.get() or super().generate_span_id()


class Spans:
    """All spans of one process."""

    def __init__(self, role: str, address: str) -> None:
        self._provider = TracerProvider(
            resource=_resource(role), id_generator=_Ids(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(_exporter(address)))
        self._tracer = self._provider.get_tracer("orchard", __version__)

    @contextmanager
    def open(
        self, name: str, attributes: Attributes, *, parent: str = "", kind: str = "internal"
    ) -> Iterator[trace.Span]:
        """A span around what is done inside; ``parent`` is a ``traceparent``.

        Of an exception its type is told and never its words: there may be a name in them.
        """
        span = self._tracer.start_span(
            name, _context(parent), kind=SpanKind[kind.upper()], attributes=dict(attributes)
        )
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield span
        except BaseException as fault:
            mark_failed(span, type(fault).__name__)
            raise
        finally:
            span.end()

    def note(
        self, name: str, attributes: Attributes, *, itself: str, parent: str,
        begun: datetime | None, ended: datetime | None, error: str = "",
    ) -> None:  # fmt: skip
        """A span of something that is over; ``itself`` names it (see :func:`parents.named`)."""
        known = parse(itself)
        if known is None or parse(parent) is None:
            return
        given = _next_id.set(known.span_id)
        try:
            span = self._tracer.start_span(
                name, _context(parent), attributes=dict(attributes), start_time=_ns(begun)
            )
        finally:
            _next_id.reset(given)
        if error:
            mark_failed(span, error)
        span.end(_ns(ended))

    def tell(
        self, name: str, attributes: Attributes, *, parent: str, begun: datetime, ended: datetime,
        kind: str = "internal", error: str = "",
    ) -> None:  # fmt: skip
        """A span of something that is over and has no name; without a parent its own trace."""
        span = self._tracer.start_span(
            name, _context(parent) or Context(), kind=SpanKind[kind.upper()],
            attributes=dict(attributes), start_time=_ns(begun),
        )  # fmt: skip
        if error:
            mark_failed(span, error)
        span.end(_ns(ended))

    def close(self) -> None:
        """Send what is left, if that goes quickly."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces-end", daemon=True)
        ending.start()
        ending.join(CLOSE_S)


def current() -> str:
    """The ``traceparent`` of the span that is open here; empty when there is none."""
    here = trace.get_current_span().get_span_context()
    return str(traceparent_of(here)) if here.is_valid else ""


def traceparent_of(context: SpanContext) -> Parent:
    """A span as it is told to others."""
    return Parent(context.trace_id, context.span_id, int(context.trace_flags) & 1)


def mark_current(attributes: Attributes) -> None:
    """Say more of the span that is open here."""
    trace.get_current_span().set_attributes(dict(attributes))


def mark_failed(span: trace.Span, kind: str) -> None:
    """Say that what a span stands for went wrong, and how one calls that."""
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


def _context(parent: str) -> Context | None:
    """Where a new span belongs: inside this one, else inside the one that is open here."""
    known = parse(parent)
    if known is None:
        return None
    context = SpanContext(
        known.trace_id, known.span_id, is_remote=True, trace_flags=TraceFlags(known.flags)
    )
    return trace.set_span_in_context(NonRecordingSpan(context), Context())


def _exporter(address: str) -> OTLPSpanExporter:
    if address == BY_ENVIRONMENT:
        return OTLPSpanExporter()
    return OTLPSpanExporter(endpoint=f"{address.rstrip('/')}/v1/traces")


def _resource(role: str) -> Resource:
    ours = {
        "service.namespace": "orchard",
        "service.version": __version__,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    told = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if not os.environ.get("OTEL_SERVICE_NAME") and "service.name=" not in told:
        ours["service.name"] = f"orchard-{role}"
    return Resource.create(ours)


def _ns(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1e6) * 1000
