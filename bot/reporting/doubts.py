"""Doubts that nobody wrote down, found by looking at the history as a whole: services that were renamed, months without data.

Decides from versions, commits and instants what may be so; it corrects nothing. The wording is left to `quality`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from bot.domain.history import Deploy
from bot.reporting.windows import Window, midnight

LONG = timedelta(days=28)
"""So long without any rollout is worth a word."""


def renamed(series: Mapping[str, Sequence[Deploy]]) -> tuple[str, ...]:
    """`old → new` for each service that seems to go on under another name; `series` holds a stage's rollouts in order, by service.

    The new one begins after the old one's end with the old one's last version, which nobody else ever had.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for name, deploys in series.items():
        for deploy in deploys:
            owners[deploy.version].add(name)
    found = []
    for new, deploys in series.items():
        first = deploys[0]
        if len(owners[first.version]) != 2:
            continue
        (old,) = owners[first.version] - {new}
        last = series[old][-1]
        if last.version == first.version and last.at < first.at:
            found.append(f"{old} → {new}")
    return tuple(sorted(found))


def long_silences(rolled_out: Sequence[date], until: date, window: Window) -> tuple[str, ...]:
    """The stretches of whole days, of at least `LONG`, in which nothing at all happened.

    `rolled_out` are the days with a rollout, rising; `until` is the first day of the window that is not judged.
    """
    edges = [window.first - timedelta(days=1), *rolled_out, until]
    found = []
    for before, after in pairwise(edges):
        begin = before + timedelta(days=1)
        if after - begin >= LONG:
            found.append(f"{begin} to {after - timedelta(days=1)}")
    return tuple(found)


def odd_days(days: Sequence[date], window: Window) -> tuple[str, ...]:
    """Days that do not have 24 hours."""
    day = timedelta(days=1)
    found = []
    for one in days:
        hours = (midnight(one + day, window.zone) - midnight(one, window.zone)).total_seconds() / 3600
        if hours != 24:
            found.append(f"{one} ({hours:g} hours)")
    return tuple(found)
