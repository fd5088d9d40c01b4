"""Commits what comes at the same moment in one transaction: many events at once cost one commit, and one thread.

While a group is committed, the event loop gathers the next. A group that fails is taken apart, so that one bad item never spoils
the others; only where the first of them cannot be stored for now either, the rest is not tried. What a commit does is handed in.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from anyio import CapacityLimiter, to_thread

from bot.domain.errors import TransientError

LARGEST = 50
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GroupCommit(Generic[Item, Answer]):
    """`commit` stores items in one transaction and answers each in order; when it raises, it has stored none of them.

    `put` is for one event loop; `commit` is called in a thread that nobody else waits for, never twice at a time.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], Sequence[Answer]], *, largest: int = LARGEST) -> None:
        self._commit = commit
        self._largest = largest
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def put(self, item: Item) -> Answer:
        """Returns once the item is committed. Raises what its commit raised."""
        settled: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, settled))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await settled

    async def _work(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
                outcomes = await self._in_a_thread([item for item, _ in group])
                for (_, settled), outcome in zip(group, outcomes, strict=True):
                    _settle(settled, outcome)
        finally:
            self._worker = None

    async def _in_a_thread(self, items: Sequence[Item]) -> Sequence[Answer | Exception]:
        try:
            return await to_thread.run_sync(self._outcomes, items, limiter=CapacityLimiter(1))
        except Exception as error:  # no thread can be had
            return [error] * len(items)

    def _outcomes(self, items: Sequence[Item]) -> Sequence[Answer | Exception]:
        """Each item's answer, or why it has none."""
        try:
            return [answer for _, answer in zip(items, self._commit(items), strict=True)]
        except Exception as error:
            return [error] if len(items) == 1 else self._apart(items)

    def _apart(self, items: Sequence[Item]) -> Sequence[Answer | Exception]:
        found: list[Answer | Exception] = []
        for item in items:
            if found and isinstance(found[-1], TransientError):
                found.append(found[-1])
            else:
                found += self._outcomes([item])
        return found


def _settle(settled: asyncio.Future[Answer], outcome: Answer | Exception) -> None:
    if settled.done():
        return  # whoever asked has gone
    if isinstance(outcome, StopIteration):
        settled.set_exception(RuntimeError("StopIteration"))  # which a future does not take
    elif isinstance(outcome, Exception):
        settled.set_exception(outcome)
    else:
        settled.set_result(outcome)
