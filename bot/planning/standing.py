"""What the plan says of each service in a stage, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.action import Action
from bot.domain.promotion import SlotEdit
from bot.domain.release import Release
from bot.domain.verdict import Verdict
from bot.planning.pairing import Pair


class Standing(StrEnum):
    """Where a service stands in a stage, in one word. Only `ready` opens or merges something."""

    UP_TO_DATE = "up to date"
    READY = "ready"
    WAITING = "waiting"
    OPEN = "open"
    ROLLING_OUT = "rolling out"
    HELD = "held"
    QUARANTINED = "quarantined"
    VETOED = "vetoed"
    PINNED = "pinned"
    CLOSED = "closed by a person"
    DIVERGED = "diverged"
    DRIFTED = "drifted"
    AMBIGUOUS = "ambiguous"
    UNREADABLE = "unreadable"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    STUCK = "asks people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What may enter a stage: one service's release, with the edits that would bring it."""

    service: str
    old: Release
    new: Release
    edits: tuple[SlotEdit, ...]
    healthy_since: datetime
    upstream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One service in one stage: its standing, in a sentence that says what, why, who or what can change it.

    `places` are file:line texts. `pairs` say what pairs with what upstream,
    where somebody asked for it. `look_again` (UTC) is when time alone may change it. `verdicts` are those of its open promotion.
    """

    service: str
    stage: str
    standing: Standing
    sentence: str
    old: str = ""
    new: str = ""
    promotion: str = ""
    number: int | None = None
    url: str = ""
    places: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    look_again: datetime | None = None
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do now (in this order), why, and when to look again (UTC; None: only an event can change anything).

    `reread` are pull requests that must be read afresh before they can be merged; whoever applies the plan looks again at once.
    """

    stage: str
    actions: tuple[Action, ...]
    reports: tuple[Report, ...]
    look_again: datetime | None = None
    reread: tuple[int, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
