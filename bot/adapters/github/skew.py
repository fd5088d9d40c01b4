"""How far our clock is from the forge's, by the Date header of any answer of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

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
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return between - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
