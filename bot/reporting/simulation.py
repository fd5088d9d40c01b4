"""What a simulation found: each promotion's fate under other rules, each rule's effect, and what nobody can know.

Nouns and their JSON only; the replay itself is `simulate`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.instants import format_instant


class Fate(StrEnum):
    """What would have become of a promotion."""

    ENTERED = "entered"
    SUPERSEDED = "superseded"
    STOPPED = "stopped"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One promotion under the other rules. `waits` are seconds per gate (several gates may hold at once); `why` is the last refusal."""

    deploy: str
    service: str
    version: str
    stage: str
    recorded_at: datetime
    entered_at: datetime | None
    fate: Fate
    waited_s: float
    waits: tuple[tuple[str, float], ...]
    why: str
    failed: bool

    @property
    def failure_stopped(self) -> bool:
        """The recorded change failed here and would not have entered."""
        return self.failed and self.fate is not Fate.ENTERED

    def to_json(self) -> dict[str, object]:
        """The promotion as a JSON object."""
        return {
            "deploy": self.deploy,
            "service": self.service,
            "version": self.version,
            "stage": self.stage,
            "fate": self.fate.value,
            "recorded_at": format_instant(self.recorded_at),
            "entered_at": format_instant(self.entered_at) if self.entered_at else None,
            "waited_s": self.waited_s,
            "waits": dict(self.waits),
            "why": self.why,
            "failed": self.failed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One gate of one stage: how many promotions it would have held, for how long in all, and how many failures it helped to stop."""

    stage: str
    gate: str
    held: int
    blocked_s: float
    failures_stopped: int

    def to_json(self) -> dict[str, object]:
        """The rule's effect as a JSON object."""
        return {
            "stage": self.stage,
            "gate": self.gate,
            "held": self.held,
            "blocked_hours": round(self.blocked_s / 3600, 3),
            "failures_stopped": self.failures_stopped,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The whole answer. Lead times are medians in seconds of the commits that both worlds delivered to the last stages."""

    since: datetime
    as_of: datetime
    promotions: tuple[Replayed, ...]
    rules: tuple[Rule, ...]
    lead_before_s: float | None
    lead_after_s: float | None
    undelivered_commits: int
    unknown: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The answer as one JSON object."""
        return {
            "since": format_instant(self.since),
            "as_of": format_instant(self.as_of),
            "promotions": len(self.promotions),
            "would_have_waited": sum(found.waited_s > 0 for found in self.promotions),
            "blocked_hours": round(sum(found.waited_s for found in self.promotions) / 3600, 3),
            "failures": sum(found.failed for found in self.promotions),
            "failures_stopped": sum(found.failure_stopped for found in self.promotions),
            "lead_time_median_s": {"recorded": self.lead_before_s, "simulated": self.lead_after_s},
            "undelivered_commits": self.undelivered_commits,
            "rules": [rule.to_json() for rule in self.rules],
            "changed": [found.to_json() for found in self.promotions if found.waited_s > 0 or found.fate is not Fate.ENTERED],
            "unknown": list(self.unknown),
        }
