"""Which of a registry's tags a watch means. Pure: what cannot be put in order is never chosen, and is told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cmp_to_key

from bot.config.artifacts import Watch
from bot.domain.order import compare_tags

MOST_DATED = 100
"""So many tags may have to be looked into for their dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The tag, or None and why there is none. `passed_over` are tags that fit and could not be compared."""

    tag: str | None = None
    problem: str = ""
    passed_over: tuple[str, ...] = ()


def pick(watch: Watch, tags: Iterable[str], *, built: Callable[[str], datetime | None]) -> Picked:
    """The tag that is meant. `built` says when a tag's image was built; it is asked for `pick: newest` alone."""
    fitting = [tag for tag in tags if watch.fits(tag)]
    if not fitting:
        return Picked(problem=f"no tag of {watch.image} fits")
    if watch.pick == "digest":
        return Picked(tag=watch.tag)
    if watch.pick == "newest":
        return _newest(watch, fitting, built)
    return _highest(watch, fitting)


def _highest(watch: Watch, fitting: list[str]) -> Picked:
    text = {tag: watch.compared(tag) for tag in fitting}
    known = [tag for tag in fitting if compare_tags(text[tag], text[tag]) is not None]
    passed_over = tuple(sorted(set(fitting) - set(known)))
    if not known:
        return Picked(problem=f"the tags of {watch.image} cannot be put in order, for example {passed_over[0]}", passed_over=passed_over)

    def order(one: str, other: str) -> int:
        return compare_tags(text[one], text[other]) or 0

    best = max(known, key=cmp_to_key(order))
    beside = {tag: compare_tags(text[tag], text[best]) for tag in known}
    rival = next((tag for tag, order in beside.items() if order is None), None)
    if rival is not None:
        return Picked(problem=f"nobody can tell which of {best} and {rival} is newer; narrow the pattern", passed_over=passed_over)
    return Picked(tag=min(tag for tag, order in beside.items() if order == 0), passed_over=passed_over)


def _newest(watch: Watch, fitting: list[str], built: Callable[[str], datetime | None]) -> Picked:
    if len(fitting) > MOST_DATED:
        return Picked(problem=f"{len(fitting)} tags of {watch.image} fit, and at most {MOST_DATED} are looked into; narrow the pattern")
    dates = {tag: built(tag) for tag in fitting}
    dated = sorted((date, tag) for tag, date in dates.items() if date is not None)
    passed_over = tuple(sorted(tag for tag, date in dates.items() if date is None))
    if not dated:
        return Picked(problem=f"no tag of {watch.image} says when it was built", passed_over=passed_over)
    return Picked(tag=dated[-1][1], passed_over=passed_over)
