"""How far our clock is from the forge's, by the Date header of any answer of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx

from bot.adapters.github.errors import their_time
from bot.domain.errors import TransientError

LIMIT = timedelta(seconds=10)


def skew(api_url: str, clock: Callable[[], datetime]) -> timedelta | None:
    """Ours less theirs, to about a second; None where the answer tells no time. `TransientError` when none comes."""
    before = clock()
    try:
        answer = httpx.head(api_url, timeout=LIMIT.total_seconds(), follow_redirects=False)
    except httpx.HTTPError as error:
        raise TransientError(f"the forge cannot be reached: {type(error).__name__}") from error
    between = before + (clock() - before) / 2
    theirs = their_time(answer.headers)
    return None if theirs is None else between - theirs
