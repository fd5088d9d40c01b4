"""Webhook deliveries: signed, logged, and lost, doubled, delayed or reordered on demand.

Decides where an event goes, when, and how often; the bodies come from `views.events`. One thread sends everything in
order. A delivery that fails is not repeated by itself (GitHub does not either); it is kept in the log for `redeliver`.
"""

import heapq
import itertools
import json
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import httpx

from bot.sandbox.github.delivery import Delivery, Tamper, Target, anything


@cache
def trust() -> ssl.SSLContext:
    """The certificates that webhooks over TLS are held to; read once in a process."""
    return ssl.create_default_context()


class Deliveries:
    """The queue and the log of all deliveries."""

    def __init__(self, clock: Callable[[], datetime], *, timeout_seconds: float = 10.0) -> None:
        self._clock = clock
        self._timeout = timeout_seconds
        self._ids = itertools.count(1)
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Delivery]] = []
        self._tampers: list[Tamper] = []
        self._busy = False
        self._held = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._log: list[Delivery] = []

    def start(self) -> None:
        """Begin to send."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="github-sandbox-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the delivery that is under way; what waits is dropped."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=self._timeout + 1)
            self._thread = None

    @property
    def log(self) -> tuple[Delivery, ...]:
        """Every delivery, oldest first, also lost ones."""
        with self._changed:
            return tuple(self._log)

    def visible(self, kind: str, owner: int | None = None) -> list[Delivery]:
        """What the API's delivery log shows of the hooks of a kind, newest first."""
        return [
            item
            for item in reversed(self.log)
            if item.target.kind == kind
            and not item.silent
            and item.status != "pending"
            and (owner is None or item.target.owner_id == owner)
        ]

    def offer(self, target: Target, event: str, payload: dict[str, Any]) -> None:
        """Queue one event for one hook."""
        repository, installation = payload.get("repository") or {}, payload.get("installation") or {}
        self._take(
            Delivery(
                id=next(self._ids),
                guid=str(uuid.uuid4()),
                event=event,
                action=payload.get("action"),
                payload=payload,
                body=json.dumps(payload, separators=(",", ":")).encode(),
                target=target,
                repository_id=repository.get("id"),
                installation_id=installation.get("id"),
                delivered_at=self._clock(),
            )
        )

    def _take(self, delivery: Delivery) -> None:
        with self._changed:
            self._log.append(delivery)
            tamper = next((item for item in self._tampers if item.times > 0 and item.matches(delivery)), None)
            if tamper is None:
                self._put(delivery, 0.0)
            else:
                tamper.times -= 1
                self._tamper(tamper, delivery)
            self._changed.notify_all()

    def _tamper(self, tamper: Tamper, delivery: Delivery) -> None:
        match tamper.kind:
            case "lose":
                delivery.silent, delivery.status = True, "lost"
            case "fail":
                delivery.status, delivery.status_code = "failed to connect to host", 502
            case "duplicate":
                self._put(delivery, 0.0)
                guid = str(uuid.uuid4()) if tamper.new_guid else delivery.guid
                again = replace(delivery, id=next(self._ids), guid=guid, redelivery=not tamper.new_guid)
                self._log.append(again)
                self._put(again, 0.0)
            case "delay":
                self._put(delivery, tamper.seconds)
            case "reorder":
                tamper.kept.append(delivery)
                if tamper.times == 0:
                    for kept in reversed(tamper.kept):
                        self._put(kept, 0.0)
                    tamper.kept.clear()
            case unknown:
                raise ValueError(f"no way to tamper with a delivery is called {unknown!r}")

    def _put(self, delivery: Delivery, seconds: float) -> None:
        heapq.heappush(self._queue, (time.monotonic() + seconds, next(self._order), delivery))

    # control ------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Keep everything back until `release`."""
        with self._changed:
            self._held = True

    def release(self, *, newest_first: bool = False) -> None:
        """Send what was held, in order or the other way round; unfinished reorderings are sent too."""
        with self._changed:
            self._held = False
            for tamper in self._tampers:
                for kept in reversed(tamper.kept):
                    self._put(kept, 0.0)
                tamper.kept.clear()
            if newest_first:
                waiting = sorted(self._queue, key=lambda item: item[1], reverse=True)
                self._queue = [(0.0, next(self._order), delivery) for _, _, delivery in waiting]
                heapq.heapify(self._queue)
            self._changed.notify_all()

    def tamper(
        self,
        kind: str,
        times: int = 1,
        *,
        matches: Callable[[Delivery], bool] = anything,
        seconds: float = 0.0,
        new_guid: bool = False,
    ) -> None:
        """Treat the next `times` matching deliveries so: `lose` (never sent, not in the API's log), `fail` (never sent, in the log
        as failed), `duplicate` (twice; with the same id, or a new one), `delay` by seconds, `reorder` (kept, then sent newest first)."""
        if kind not in ("lose", "fail", "duplicate", "delay", "reorder"):
            raise ValueError(f"no way to tamper with a delivery is called {kind!r}")
        with self._changed:
            self._tampers.append(Tamper(kind=kind, times=times, matches=matches, seconds=seconds, new_guid=new_guid))

    def clear_tampers(self) -> None:
        """Deliver faithfully from now on."""
        with self._changed:
            self._tampers.clear()

    def find(self, number: int) -> Delivery | None:
        """The delivery with this id."""
        return next((item for item in self.log if item.id == number), None)

    def redeliver(self, number: int) -> Delivery:
        """Send a delivery again, under the same guid; LookupError if there is none."""
        found = self.find(number)
        if found is None:
            raise LookupError(f"no delivery has the id {number}")
        again = replace(
            found,
            id=next(self._ids),
            redelivery=True,
            status="pending",
            status_code=0,
            silent=False,
            answer="",
            delivered_at=self._clock(),
        )
        with self._changed:
            self._log.append(again)
            self._put(again, 0.0)
            self._changed.notify_all()
        return again

    def wait_idle(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until everything that may be sent was answered; False if that took too long."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while self._busy or (self._queue and not self._held):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.1))
        return True

    # sending ------------------------------------------------------------------------------------

    def _run(self) -> None:
        # A connection of its own for each delivery: a receiver that was restarted in between is no failure.
        fresh = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(timeout=self._timeout, trust_env=False, verify=trust(), limits=fresh) as client:
            while True:
                delivery = self._next()
                if delivery is None:
                    return
                self._send(client, delivery)
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _next(self) -> Delivery | None:
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                if self._queue and not self._held and self._queue[0][0] <= now:
                    self._busy = True
                    return heapq.heappop(self._queue)[2]
                pause = self._queue[0][0] - now if self._queue and not self._held else 1.0
                self._changed.wait(max(0.0, min(pause, 1.0)))
        return None

    def _send(self, client: httpx.Client, delivery: Delivery) -> None:
        started = time.monotonic()
        try:
            reply = client.post(delivery.target.url, content=delivery.body, headers=delivery.headers())
            delivery.status_code = reply.status_code
            delivery.answer = reply.text[:2000]
            delivery.status = "OK" if reply.is_success else f"Invalid HTTP Response: {reply.status_code}"
        except httpx.TimeoutException:
            delivery.status, delivery.status_code = "timed out", 504
        except (httpx.HTTPError, httpx.InvalidURL):
            delivery.status, delivery.status_code = "failed to connect to host", 502
        delivery.duration = round(time.monotonic() - started, 3)
