"""POST to an application inside this process, without a socket: through every layer of it, thousands of requests in seconds."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from fastapi import FastAPI

TOGETHER = 50
"""So many are under way at a time."""
Sent = tuple[Mapping[str, str], bytes]


def post_all(app: FastAPI, path: str, requests: Iterable[Sent]) -> list[tuple[int, bytes]]:
    """Status and body of each answer, in the order of the requests (headers, body)."""
    return asyncio.run(_post_all(app, path, requests))


async def _post_all(app: FastAPI, path: str, requests: Iterable[Sent]) -> list[tuple[int, bytes]]:
    waiting, answers = iter(requests), list[tuple[int, bytes]]()
    while some := list(islice(waiting, TOGETHER)):
        answers += await asyncio.gather(*(_post(app, path, headers, body) for headers, body in some))
    return answers


async def _post(app: FastAPI, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    told: list[Any] = []
    raw = [(name.encode(), value.encode()) for name, value in {**headers, "content-length": str(len(body))}.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    await app(scope, receive, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])
