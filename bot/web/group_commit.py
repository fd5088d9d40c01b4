"""Commits what several threads bring at the same moment in one transaction: many events at once cost one commit.

The first thread that finds the door free takes all that wait and commits them; the others find theirs settled. A group that
fails is taken apart, so that one bad item never spoils the others; only where the first of them cannot be stored for now
either, the rest is not tried. What a commit does is handed in.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from bot.domain.errors import TransientError

LARGEST = 50
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Waiting(Generic[Item, Answer]):
    """One thread's item, and what became of it."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.answers: list[Answer] = []
        self.error: Exception | None = None

    @property
    def settled(self) -> bool:
        return bool(self.answers) or self.error is not None


class GroupCommit(Generic[Item, Answer]):
    """`commit` stores items in one transaction and answers each in order; when it raises, it has stored none of them."""

    def __init__(self, commit: Callable[[Sequence[Item]], Sequence[Answer]], *, largest: int = LARGEST) -> None:
        self._commit = commit
        self._largest = largest
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._queue: list[_Waiting[Item, Answer]] = []

    def put(self, item: Item) -> Answer:
        """Returns once the item is committed. Raises what its commit raised."""
        mine: _Waiting[Item, Answer] = _Waiting(item)
        with self._lock:
            self._queue.append(mine)
        while not mine.settled:
            with self._turn:
                if not mine.settled:
                    self._settle(self._next())
        if mine.error is not None:
            raise mine.error
        return mine.answers[0]

    def _next(self) -> list[_Waiting[Item, Answer]]:
        with self._lock:
            group, self._queue = self._queue[: self._largest], self._queue[self._largest :]
        return group

    def _settle(self, group: Sequence[_Waiting[Item, Answer]]) -> None:
        try:
            answers = self._commit([one.item for one in group])
        except Exception as error:
            if len(group) == 1:
                group[0].error = error
            else:
                self._apart(group)
            return
        for one, answer in zip(group, answers, strict=True):
            one.answers.append(answer)

    def _apart(self, group: Sequence[_Waiting[Item, Answer]]) -> None:
        down: Exception | None = None
        for one in group:
            if down is None:
                self._settle([one])
                down = one.error if isinstance(one.error, TransientError) else None
            else:
                one.error = down
