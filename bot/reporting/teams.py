"""Which team an event belongs to: the one it carries, else the service's owner by configuration, else the service's only known team.

Teams own services; people's names never decide. Services that were seen with several teams and have no configured owner stay
without a team where an event carries none, and are named, so that the report can say so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.history import Event, Recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The events with their teams, the services that moved between teams, and those with events of no team."""

    events: tuple[Event, ...]
    moved: tuple[str, ...]
    without: tuple[str, ...]


def assign(events: Iterable[Event], owners: Mapping[str, str], *, as_of: datetime) -> Assigned:
    """Gives every deploy and failure its team, where one is known. `owners` maps services to teams (the configuration).

    Teams of events after `as_of` are not known yet, and say nothing about those before.
    """
    every = tuple(events)
    carried: dict[str, set[str]] = defaultdict(set)
    for event in every:
        if not isinstance(event, Recovery) and event.team is not None and event.service is not None and event.at <= as_of:
            carried[event.service].add(event.team)
    only = {service: next(iter(teams)) for service, teams in carried.items() if len(teams) == 1} | dict(owners)
    without: set[str] = set()
    found: list[Event] = []
    for event in every:
        if isinstance(event, Recovery) or event.team is not None or event.service is None:
            found.append(event)
        elif (team := only.get(event.service)) is not None:
            found.append(replace(event, team=team))
        else:
            without.add(event.service)
            found.append(event)
    moved = [service for service, teams in carried.items() if len(teams) > 1]
    return Assigned(events=tuple(found), moved=tuple(sorted(moved)), without=tuple(sorted(without)))
