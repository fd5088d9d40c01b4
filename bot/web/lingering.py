"""Lets a sender finish that was refused in the middle of its body, so that it reads the refusal and not a reset connection.

The answer goes out at once; what the sender still has on the way is read and dropped, within a size and a time. Most clients read
no answer before their whole body is sent. The same as https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close
"""

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 64 * 1024 * 1024
LONGEST_SECONDS = 5.0
TOO_LARGE = 413


class Linger:
    """Holds the end of each 413 back until the rest of the body has come, or enough of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def lingering(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                refused = message["status"] == TOO_LARGE
            if not refused or message["type"] != "http.response.body" or message.get("more_body"):
                await send(message)
                return
            await send({**message, "more_body": True})
            await _drop(receive)
            await send({"type": "http.response.body", "body": b""})

        await self._app(scope, receive, lingering if scope["type"] == "http" else send)


async def _drop(receive: Receive) -> None:
    dropped, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SECONDS):
            while more and dropped <= LARGEST:
                message = await receive()
                dropped += len(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)
