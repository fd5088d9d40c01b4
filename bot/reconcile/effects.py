"""Effects on the outside at most once: a write whose end is not known is looked for before it is repeated.

Decides when to look and when to act; what looking and acting mean is handed in, what is remembered stands in the journal.

    new      -> note "started", act, note "done" with the result
    started  -> an earlier try died or lost its answer: look; adopt what is found, else act
    done     -> the result, without a call
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.domain.errors import OutcomeUnknown, RateLimited, Stale, UserError
from bot.ports import EffectJournal
from bot.reconcile.crash import NOWHERE, CrashPoints

T = TypeVar("T")

LOOKS = (0.0, 0.3, 1.0, 2.0)
"""Seconds before each look after a lost answer: the other side may show a write late."""


class Effects:
    """Carries out effects by key."""

    def __init__(
        self,
        journal: EffectJournal,
        clock: Callable[[], datetime],
        *,
        points: CrashPoints = NOWHERE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._points = points
        self._sleep = sleep

    def once(self, key: str, *, name: str, look: Callable[[], T | None], do: Callable[[], T], kind: type[T]) -> T:
        """The effect's result, from now or from an earlier try.

        `name` is its crash point; `kind` the result's type (anything that JSON can hold). Raises what `do` raises;
        `OutcomeUnknown` only when the looks found nothing, and the next call begins with a look then.
        """
        state, stored = self._journal.begin(key, name, now=self._clock())
        if state == "done":
            return _adapter(kind).validate_python(stored)
        found = look() if state == "started" else None
        if found is None:
            found = self._act(key, name, look, do)
        self._journal.done(key, _adapter(kind).dump_python(found, mode="json"), now=self._clock())
        self._points.at(f"{name}:saved")
        return found

    def known(self, key: str) -> bool:
        """True when somebody began this effect before, whatever came of it."""
        return self._journal.known(key)

    def step(self, name: str, do: Callable[[], T]) -> T:
        """An effect that may be repeated as it is (a compare-and-swap, a write of a fixed content): only its crash points are kept."""
        self._points.at(f"{name}:before")
        result = do()
        self._points.at(f"{name}:after")
        return result

    def _act(self, key: str, name: str, look: Callable[[], T | None], do: Callable[[], T]) -> T:
        self._points.at(f"{name}:before")
        try:
            result = do()
        except OutcomeUnknown:
            result = self._look_patiently(look)
        except (Stale, RateLimited, UserError):
            self._journal.forget(key)
            raise
        self._points.at(f"{name}:after")
        return result

    def _look_patiently(self, look: Callable[[], T | None]) -> T:
        for pause in LOOKS:
            self._sleep(pause)
            found = look()
            if found is not None:
                return found
        raise OutcomeUnknown("the answer to a write was lost, and what it should have made is not to be seen yet; looked at again later")


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    found = _ADAPTERS.get(kind)
    if found is None:
        found = _ADAPTERS[kind] = TypeAdapter(kind)
    return found
