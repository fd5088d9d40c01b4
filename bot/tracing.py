"""Traces by OpenTelemetry, an optional extra (`promotion-bot[telemetry]`): which part of a promotion's life took how long.

Off unless the environment names a collector in OpenTelemetry's own way (OTEL_EXPORTER_OTLP_ENDPOINT or
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT); its other variables (headers, sampler, service name) are obeyed too. Without it a span
costs a few microseconds and goes nowhere. A span carries names and numbers, masked like log lines, and never the text of an exception.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from bot.domain.errors import UserError
from bot.domain.redact import redact

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "promotion-bot"
LONGEST = 300

_tracer = trace.get_tracer(SERVICE)


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[Span]:
    """What happens inside is one span, child of the one around it. An error marks it with its kind; our own also with its code."""
    with _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as current:
        for key, value in attributes.items() if current.is_recording() else ():
            current.set_attribute(f"promotion_bot.{key}", redact(value)[:LONGEST] if isinstance(value, str) else value)
        try:
            yield current
        except Exception as error:
            kind = error.code if isinstance(error, UserError) else type(error).__name__
            current.set_status(Status(StatusCode.ERROR, kind))
            current.set_attribute("error.type", kind)
            raise


def configure(environ: Mapping[str, str]) -> Callable[[], None]:
    """Send spans to the collector that the environment names; what is returned sends the last ones at the end.

    Raises `UserError` when a collector is named and the extra is not installed.
    """
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return _nothing
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UserError(
            "The environment names a collector of traces, and the parts that send them are not installed.",
            where=ENDPOINTS[0],
            fix="Install promotion-bot[telemetry], or take the variable out of the environment.",
            code="TelemetryMissing",
        ) from error
    name = environ.get("OTEL_SERVICE_NAME") or SERVICE
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.shutdown


def _nothing() -> None:
    return
