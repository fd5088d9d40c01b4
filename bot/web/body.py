"""Reads a request's body as bytes, within a size and a time, and refuses what is compressed: bombs are never unpacked.

Decides from headers and the stream alone; nothing is parsed here.
"""

import asyncio

from starlette.requests import ClientDisconnect, Request

LARGEST = 25 * 1024 * 1024
"""GitHub sends no payload above 25 MB (https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap)."""
LONGEST_SECONDS = 10.0


class Rejected(Exception):
    """The request is answered with this status; `reason` is stable and counted, `what` is for people."""

    def __init__(self, status: int, reason: str, what: str) -> None:
        super().__init__(what)
        self.status = status
        self.reason = reason
        self.what = what


async def read_body(request: Request, *, largest: int = LARGEST, seconds: float = LONGEST_SECONDS) -> bytes:
    """The raw body. Raises `Rejected`: 415 compressed, 413 too large (whatever Content-Length says), 408 too slow, 400 broken off."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Rejected(415, "encoding", "send the body uncompressed")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > largest:
        raise Rejected(413, "too large", f"the body is larger than {largest} bytes")
    parts = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                parts += part
                if len(parts) > largest:
                    raise Rejected(413, "too large", f"the body is larger than {largest} bytes")
    except TimeoutError:
        raise Rejected(408, "too slow", f"the body did not arrive within {seconds:g} seconds") from None
    except ClientDisconnect:
        raise Rejected(400, "broken off", "the connection ended before the body did") from None
    return bytes(parts)
