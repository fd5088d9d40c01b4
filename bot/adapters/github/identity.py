"""Whose token is this? GitHub says; the answer is kept for a minute, and the token itself never (only a hash of it, in memory).

Decides which account a caller is. A token that GitHub does not take, or that is not a person's, is nobody's.
https://docs.github.com/rest/users/users#get-the-authenticated-user
"""

import hashlib
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx

from bot.domain.errors import TransientError
from bot.domain.people import Person

LASTS = timedelta(seconds=60)
LONGEST = 1_000
MOST_KEPT = 2_000
NOBODY = (401, 403, 404)


class Identities:
    """Answers for tokens. Safe for several threads."""

    def __init__(self, api_url: str, clock: Callable[[], datetime], *, timeout: float = 10.0) -> None:
        self._url = f"{api_url.rstrip('/')}/user"
        self._clock = clock
        self._timeout = timeout
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, Person | None]] = {}

    def person(self, token: str) -> Person | None:
        """The account of a token; None when it is nobody's. `TransientError` when GitHub cannot say."""
        if not token or len(token) > LONGEST or not token.isascii() or not token.isprintable() or " " in token:
            return None
        key = hashlib.sha256(token.encode()).hexdigest()
        now = self._clock()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now < kept[0]:
            return kept[1]
        found = self._ask(token)
        with self._lock:
            self._kept[key] = (now + LASTS, found)
            if len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return found

    def _ask(self, token: str) -> Person | None:
        headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json", "user-agent": "promotion-bot"}
        try:
            answer = httpx.get(self._url, headers=headers, timeout=self._timeout, follow_redirects=False)
            if answer.status_code in NOBODY and answer.headers.get("x-ratelimit-remaining") != "0":
                return None
            if answer.status_code != 200:
                raise TransientError(f"GitHub answered {answer.status_code} when asked whose token this is.")
            account = answer.json()
            return Person(id=int(account["id"]), login=str(account["login"]), bot=account.get("type") != "User")
        except httpx.HTTPError as error:
            raise TransientError(f"GitHub cannot be asked whose token this is ({type(error).__name__}).") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TransientError(f"GitHub's answer to whose token this is could not be understood ({type(error).__name__}).") from error
