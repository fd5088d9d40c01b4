"""Traces reach a collector that speaks OTLP over HTTP, tell which part took how long, and carry no secret."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot.domain.facts import Facts
from bot.planning.standing import Plan
from bot.reconcile.run import run_stage
from bot.tracing import configure
from tests.contract.reconcile.stage_world import StageWorld

TOKEN = "ghp_" + "a" * 36
PROGRAM = f"""
import os
from bot.tracing import configure, span
flush = configure(os.environ)
try:
    with span("run", stage="qa", run="1"), span("github", doing="use {TOKEN}"):
        raise ValueError("secret {TOKEN}")
except ValueError:
    pass
flush()
"""


class Collector:
    """Keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.raw = b""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.raw = self.rfile.read(int(self.headers["content-length"]))
                for resource in ExportTraceServiceRequest.FromString(outer.raw).resource_spans:
                    outer.services |= {one.value.string_value for one in resource.resource.attributes if one.key == "service.name"}
                    outer.spans += [span for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def test_spans_reach_the_collector_that_the_environment_names(collector: Collector, tmp_path: Path) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "PATH": "/usr/bin", "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environ, check=True, timeout=60)
    by_name = {span.name: span for span in collector.spans}
    assert set(by_name) == {"run", "github"}
    assert by_name["github"].parent_span_id == by_name["run"].span_id
    assert by_name["run"].status.message == "ValueError"
    assert {one.key: one.value.string_value for one in by_name["run"].attributes}["promotion_bot.stage"] == "qa"
    assert collector.services == {"promotion-bot"}
    assert TOKEN.encode() not in collector.raw


def test_without_a_collector_nothing_is_set_up() -> None:
    before = trace.get_tracer_provider()
    configure({})()
    configure({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"})()
    assert trace.get_tracer_provider() is before


@pytest.mark.xdist_group("traces")
def test_a_run_tells_its_steps(world: StageWorld) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    facts = Facts(now=world.clock(), stage="qa", stages={})
    planned = Plan(stage="qa", actions=(world.opening(),), reports=())
    run_stage(world.tools(), lambda _stage: facts, lambda _facts: planned)
    spans = {span.name: span for span in exporter.get_finished_spans()}
    provider.shutdown()
    assert {"settle", "observe", "plan", "apply OpenPromotion", "github", "git"} <= set(spans)
    assert _parent(spans["github"]) == spans["apply OpenPromotion"].context.span_id


def _parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None
