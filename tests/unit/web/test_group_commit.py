"""What comes together is committed together, in order, and a bad one is alone in its failure."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest

from bot.domain.errors import TransientError
from bot.web.group_commit import GroupCommit


class Commits:
    """Notes each group; holds the first one until it is told to go on."""

    def __init__(self, refuse: Callable[[str], Exception | None] = lambda _: None) -> None:
        self.groups: list[list[str]] = []
        self.entered, self.go_on = threading.Event(), threading.Event()
        self._refuse = refuse

    def __call__(self, items: Sequence[str]) -> list[str]:
        first = not self.groups
        self.groups.append(list(items))
        if first:
            self.entered.set()
            assert self.go_on.wait(10)
        for item in items:
            error = self._refuse(item)
            if error is not None:
                raise error
        return [item.upper() for item in items]


def together(commits: Commits, items: Sequence[str], *, largest: int = 50) -> dict[str, str]:
    """The first item, which the commit holds; then all others, in their order; then all go on."""

    async def all_of_them() -> list[str | BaseException]:
        door = GroupCommit(commits, largest=largest)
        first = asyncio.create_task(door.put(items[0]))
        assert await asyncio.to_thread(commits.entered.wait, 10)
        rest = [asyncio.create_task(door.put(item)) for item in items[1:]]
        await asyncio.sleep(0)
        commits.go_on.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    answers = asyncio.run(all_of_them())
    named = [f"{type(answer).__name__}: {answer}" if isinstance(answer, BaseException) else answer for answer in answers]
    return dict(zip(items, named, strict=True))


def test_what_waits_while_one_is_committed_is_committed_at_once() -> None:
    commits = Commits()
    answers = together(commits, ["a", "b", "c", "d"])
    assert answers == {"a": "A", "b": "B", "c": "C", "d": "D"}
    assert commits.groups == [["a"], ["b", "c", "d"]]


def test_a_group_is_never_larger_than_allowed() -> None:
    commits = Commits()
    answers = together(commits, list("abcdefg"), largest=2)
    assert answers == {item: item.upper() for item in "abcdefg"}
    assert [len(group) for group in commits.groups] == [1, 2, 2, 2]


def test_a_bad_one_fails_alone() -> None:
    commits = Commits(lambda item: ValueError("broken") if item == "c" else None)
    answers = together(commits, ["a", "b", "c", "d"])
    assert answers == {"a": "A", "b": "B", "c": "ValueError: broken", "d": "D"}


def test_where_nothing_can_be_stored_only_one_more_try_is_made() -> None:
    commits = Commits(lambda item: TransientError("down") if item != "a" else None)
    answers = together(commits, ["a", "b", "c", "d"])
    assert answers == {"a": "A"} | dict.fromkeys("bcd", "TransientError: down")
    assert [len(group) for group in commits.groups] == [1, 3, 1]


def test_a_clash_that_is_over_costs_nobody_his_event() -> None:
    """Two processes that waited for each other: one is told so, and what it brought is stored one by one."""
    clashes = iter([TransientError("deadlock")])
    commits = Commits(lambda item: next(clashes, None) if item == "b" else None)
    assert together(commits, ["a", "b", "c"]) == {"a": "A", "b": "B", "c": "C"}


def test_the_next_group_is_not_hurt_by_the_last() -> None:
    refused = iter([ValueError("once")])

    async def one_after_the_other() -> str:
        door = GroupCommit[str, str](lambda items: [_raise(next(refused, None)) or item for item in items])
        with pytest.raises(ValueError, match="once"):
            await door.put("a")
        return await door.put("b")

    assert asyncio.run(one_after_the_other()) == "b"


def test_who_hangs_up_takes_nothing_from_the_others() -> None:
    """His item is in the group already, so it is stored; nobody is there to be told."""
    commits = Commits()

    async def one_hangs_up() -> list[str]:
        door = GroupCommit(commits)
        gone, *others = [asyncio.create_task(door.put(item)) for item in "abc"]
        assert await asyncio.to_thread(commits.entered.wait, 10)
        gone.cancel()
        await asyncio.wait([gone])
        commits.go_on.set()
        return [await asyncio.wait_for(other, 10) for other in others]

    assert asyncio.run(one_hangs_up()) == ["B", "C"]
    assert commits.groups == [["a", "b", "c"]]


def test_a_commit_that_answers_for_too_few_leaves_nobody_waiting() -> None:
    async def put() -> str:
        return await asyncio.wait_for(GroupCommit[str, str](lambda _: []).put("a"), 10)

    with pytest.raises(ValueError, match="shorter"):
        asyncio.run(put())


def test_what_no_exception_can_carry_leaves_nobody_waiting() -> None:
    """A future takes no StopIteration."""

    def commit(_: Sequence[str]) -> list[str]:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(asyncio.wait_for(GroupCommit[str, str](commit).put("a"), 10))


def _raise(error: Exception | None) -> str:
    if error is not None:
        raise error
    return ""
