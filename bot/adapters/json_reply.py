"""Another server's answer as a JSON object; anything else is no answer, in one sentence that names the server."""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from bot.adapters.safe_http import Reply
from bot.domain.errors import RateLimited, TransientError


def json_object(reply: Reply, who: str, *, statuses: Collection[int] = (200,)) -> dict[str, Any]:
    """The object in the body. `RateLimited` for 429, `TransientError` for another status or body."""
    value = json_value(reply, who, statuses=statuses)
    if not isinstance(value, dict):
        raise TransientError(f"{who} answered with something that is not a JSON object")
    return value


def json_value(reply: Reply, who: str, *, statuses: Collection[int] = (200,)) -> Any:
    """The JSON value in the body, whatever it is."""
    if reply.status == 429:
        raise RateLimited(f"{who} asks us to wait (429)", retry_after=pause_of(reply))
    if reply.status not in statuses:
        raise TransientError(f"{who} answered {reply.status}")
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise TransientError(f"{who} answered {reply.status} with something that is not JSON") from None


def pause_of(reply: Reply) -> timedelta | None:
    """For how long the other side asks us to wait; None where it does not say in seconds, or asks for more than a day."""
    text = reply.headers.get("retry-after", "").strip()
    return timedelta(seconds=int(text)) if text.isascii() and text.isdecimal() and len(text) <= 5 else None
