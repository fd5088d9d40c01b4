"""Where time goes between stages: how long each version waited from its success in one stage to its success in the next; and the funnel.

Decides from first successes alone, version by version and service by service. Why it waited is in the gates' verdicts, not here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bot.domain.history import Deploy, Event, RolloutStatus
from bot.domain.statistics import median, percentile
from bot.reporting.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The way from one stage to the next: elapsed seconds of the versions that arrived in the window; `negative` ones were dropped."""

    origin: str
    target: str
    seconds: tuple[float, ...]
    negative: int

    @property
    def median(self) -> float | None:
        """The interpolated median, None where nothing arrived."""
        return median(self.seconds)

    @property
    def p90(self) -> float | None:
        """The 90th percentile, None where nothing arrived."""
        return percentile(self.seconds, 0.9)


def first_successes(events: Iterable[Event], as_of: datetime) -> dict[tuple[str, str, str], datetime]:
    """When each (service, version, stage) was first healthy, as known at `as_of`."""
    found: dict[tuple[str, str, str], datetime] = {}
    for event in events:
        if isinstance(event, Deploy) and event.status is RolloutStatus.SUCCESS and event.at <= as_of:
            key = (event.service, event.version, event.stage)
            found[key] = min(event.at, found.get(key, event.at))
    return found


def steps(events: Iterable[Event], stages: Sequence[str], window: Window, as_of: datetime) -> tuple[Step, ...]:
    """The steps between neighbouring stages (in the pipeline's order) for versions that arrived inside the window."""
    first = first_successes(events, as_of)
    found = []
    for origin, target in pairwise(stages):
        taken: list[float] = []
        for (service, version, stage), arrived in first.items():
            left = first.get((service, version, origin))
            if stage == target and left is not None and window.holds(arrived):
                taken.append((arrived - left).total_seconds())
        kept = tuple(sorted(value for value in taken if value >= 0))
        found.append(Step(origin=origin, target=target, seconds=kept, negative=len(taken) - len(kept)))
    return tuple(found)


def funnel(events: Iterable[Event], stages: Sequence[str], window: Window, as_of: datetime) -> tuple[tuple[str, int], ...]:
    """Of the versions first healthy in the first stage inside the window: how many reached each stage by `as_of`."""
    first = first_successes(events, as_of)
    begun = {(service, version) for (service, version, stage), at in first.items() if stages and stage == stages[0] and window.holds(at)}
    return tuple((stage, sum((service, version, stage) in first for service, version in begun)) for stage in stages)


def stage_order(events: Iterable[Event], as_of: datetime) -> tuple[str, ...]:
    """The stages by how early versions reach them: a guess for histories without a pipeline; ties by name."""
    places: dict[str, list[int]] = defaultdict(list)
    by_version: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    for (service, version, stage), at in first_successes(events, as_of).items():
        by_version[service, version].append((at, stage))
    for reached in by_version.values():
        for place, (_, stage) in enumerate(sorted(reached)):
            places[stage].append(place)
    return tuple(sorted(places, key=lambda stage: (sum(places[stage]) / len(places[stage]), stage)))
