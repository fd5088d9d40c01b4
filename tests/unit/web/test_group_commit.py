"""What comes together is committed together, in order, and a bad one is alone in its failure."""

import threading
import time
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
    """One thread for the first item, which the commit holds; then one for each other, all waiting; then all go on."""
    door = GroupCommit(commits, largest=largest)
    answers: dict[str, str] = {}
    queued = threading.Barrier(len(items)) if len(items) > 1 else None

    def put(item: str) -> None:
        if queued is not None and item != items[0]:
            queued.wait(10)
        try:
            answers[item] = door.put(item)
        except Exception as error:
            answers[item] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=put, args=(item,)) for item in items]
    threads[0].start()
    assert commits.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    if queued is not None:
        queued.wait(10)
    while len(door._queue) < len(items) - 1:
        time.sleep(0.001)
    commits.go_on.set()
    for thread in threads:
        thread.join(10)
    return answers


def test_what_waits_while_one_is_committed_is_committed_at_once() -> None:
    commits = Commits()
    answers = together(commits, ["a", "b", "c", "d"])
    assert answers == {"a": "A", "b": "B", "c": "C", "d": "D"}
    assert [sorted(group) for group in commits.groups] == [["a"], ["b", "c", "d"]]


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
    door = GroupCommit[str, str](lambda items: [_raise(next(refused, None)) or item for item in items])
    with pytest.raises(ValueError, match="once"):
        door.put("a")
    assert door.put("b") == "b"


def _raise(error: Exception | None) -> str:
    if error is not None:
        raise error
    return ""
