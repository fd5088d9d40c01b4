"""Where threads begin in a channel: the first message of each, known by its metadata.

Decides how far back a channel is read (once per process; from then on only what came since), and leaves what stands in a thread to `chat`.
"""

from collections.abc import Callable
from typing import Any

PAGE, MOST_PAGES = 200, 10
MOST_KEPT = 5_000
Ask = Callable[..., dict[str, Any]]


class Roots:
    """Not safe for several threads: `chat` asks under its own lock."""

    def __init__(self, ask: Ask, thread_of: Callable[[dict[str, Any]], str]) -> None:
        self._ask = ask
        self._thread_of = thread_of
        self._known: dict[tuple[str, str], str] = {}
        self._seen: dict[str, str] = {}

    def find(self, channel: str, thread: str) -> str | None:
        """The timestamp of the thread's first message, None where there is none. Of two the older one counts."""
        if (channel, thread) not in self._known:
            self._read(channel)
        return self._known.get((channel, thread))

    def learn(self, channel: str, thread: str, stamp: str) -> None:
        """It begins here."""
        self._known[channel, thread] = stamp
        while len(self._known) > MOST_KEPT:
            self._known.pop(next(iter(self._known)))

    def forget(self, channel: str, thread: str) -> None:
        """Its first message is gone."""
        self._known.pop((channel, thread), None)

    def _read(self, channel: str) -> None:
        oldest = self._seen.get(channel)
        newest, cursor = oldest or "0", ""
        found: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = self._ask(
                "conversations.history", channel=channel, limit=PAGE, oldest=oldest, cursor=cursor or None, include_all_metadata=True
            )
            for message in answer.get("messages") or []:
                stamp = str(message["ts"])
                newest = max(newest, stamp, key=float)
                thread = self._thread_of(message)
                if thread and message.get("thread_ts") in (None, stamp):
                    found[thread] = stamp
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        for thread, stamp in found.items():
            self.learn(channel, thread, self._known.get((channel, thread), stamp))
        self._seen[channel] = newest
