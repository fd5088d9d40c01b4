"""The real web server on loopback, with the real intake over a database; what would be run is recorded."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from bot.adapters.store.database import Database
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.replicas import Replicas
from bot.adapters.store.wakeups import Wakeups
from bot.reconcile.engine import Timing
from bot.web import github_hook, health
from bot.web.health import Readiness
from bot.web.intake import Intake, StageMap, StagePlace
from bot.web.server import create_app, listen

SECRETS = (b"new secret", b"old secret")
STAGES = (
    StagePlace(name="dev", repository="acme/env-dev", branch="main"),
    StagePlace(name="qa", repository="acme/env-qa", branch="main", after=("dev",)),
    StagePlace(name="prod", repository="acme/env-qa", branch="prod", after=("qa",)),
)


class Runs:
    """What was put into the queue."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.waits: dict[str, float] = {}

    def __call__(self, _connection: sa.Connection, stage: str, _run: str, wait: float) -> None:
        self.stages.append(stage)
        self.waits[stage] = wait


class WebWorld:
    """A running server; `send` delivers as GitHub does."""

    def __init__(self, database: Database, url: str, readiness: Readiness, runs: Runs) -> None:
        self.database, self.url, self.readiness, self.runs = database, url, readiness, runs
        self.http = httpx.Client(base_url=url, timeout=30)

    def send(
        self,
        event: str = "push",
        payload: Mapping[str, Any] | bytes | None = None,
        *,
        delivery: str = "d1",
        secret: bytes = SECRETS[0],
        headers: Mapping[str, str | bytes] | None = None,
    ) -> httpx.Response:
        body = payload if isinstance(payload, bytes) else json.dumps(push() if payload is None else payload).encode()
        sent: dict[str, str | bytes] = {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": delivery,
            "x-hub-signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
            **(headers or {}),
        }
        return self.http.post(github_hook.PATH, content=body, headers=[(key, value) for key, value in sent.items() if value])


def push(repository: str = "acme/env-qa", ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    return {"ref": ref, "repository": {"id": 17, "full_name": repository}, "sender": {"id": 2, "login": "ana"}, **more}


@contextmanager
def web_world(
    database: Database, *, secrets: Sequence[bytes] = SECRETS, heard: Callable[[str, Mapping[str, object]], None] | None = None
) -> Iterator[WebWorld]:
    """`heard` is told every event of `issues` that is known to be GitHub's, as the desk for incidents is."""
    runs, readiness = Runs(), Readiness()
    wakeups = Wakeups(database, runs)

    def clock() -> datetime:
        return datetime.now(UTC)

    intake = Intake(database, wakeups, StageMap(STAGES), clock=clock, ours=lambda: "promoter[bot]")
    living = partial(Replicas(database).states, dead_after=Timing().dead_after)
    gauges = health.gauges(database, wakeups, living, StoredOutbox(database), clock)
    routers = [github_hook.router(intake, secrets, listen=heard), health.router(readiness, database), health.metrics_router(gauges)]
    with served(create_app(routers, readiness=readiness)) as url:
        readiness.ready()
        world = WebWorld(database, url, readiness, runs)
        yield world
        world.http.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application on a real socket."""
    listener: socket.socket = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
