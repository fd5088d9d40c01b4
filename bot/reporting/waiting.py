"""What promotions waited for: the gates that hold them now, and where their time went, from the recorded verdicts.

Decides which gate each span of waiting belongs to: the first one that stood in the way, as people were told. Gates' answers are
taken as they were recorded; nothing is judged again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.promotion import Promotion
from bot.domain.statistics import median, percentile
from bot.domain.verdict import Verdict
from bot.reporting.windows import Window

ROLLOUT, UNEXPLAINED = "rollout", "opening and merging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """A promotion with each set of verdicts it got (UTC), oldest first."""

    promotion: Promotion
    verdicts: tuple[tuple[datetime, tuple[Verdict, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A promotion that is not merged yet: for how many seconds it has been open, which gate holds it, and the gate's sentence."""

    stage: str
    service: str
    version: str
    age_s: float
    gate: str
    reason: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Time that promotions into one stage spent in one way: seconds, one value for each promotion that spent any."""

    stage: str
    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """The interpolated median."""
        return median(self.seconds)

    @property
    def p90(self) -> float | None:
        """The 90th percentile."""
        return percentile(self.seconds, 0.9)


def blocked_now(waits: Iterable[Waited], *, now: datetime, services: frozenset[str] | None = None) -> tuple[Blocked, ...]:
    """What is open at `now`, the oldest first; of these `services` only, where given."""
    found = []
    for one in waits:
        promotion = one.promotion
        mine = services is None or bool(services.intersection(promotion.services))
        ended = [at for at in (promotion.merged_at, promotion.ended_at) if at is not None and at <= now]
        if not mine or promotion.opened_at > now or ended:
            continue
        judged = [verdicts for at, verdicts in one.verdicts if at <= now]
        held = _holding(judged[-1]) if judged else None
        found.append(
            Blocked(
                stage=promotion.stage,
                service=promotion.name,
                version=str(promotion.moves[0].new),
                age_s=(now - promotion.opened_at).total_seconds(),
                gate=held.gate if held else "",
                reason=held.sentence if held else "every gate has passed; it waits to be merged" if judged else "not judged yet",
                url=promotion.url,
            )
        )
    return tuple(sorted(found, key=lambda row: (-row.age_s, row.stage, row.service)))


def phases(waits: Iterable[Waited], *, window: Window, as_of: datetime, services: frozenset[str] | None = None) -> tuple[Phase, ...]:
    """Where the time of the promotions went that were merged inside the window: per stage, by gate, and then the rollout."""
    spent: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in waits:
        promotion = one.promotion
        mine = services is None or bool(services.intersection(promotion.services))
        if not mine or promotion.merged_at is None or promotion.merged_at > as_of or not window.holds(promotion.merged_at):
            continue
        sums: dict[str, float] = defaultdict(float)
        for name, begin, end in _spans(one):
            sums[name] += max((end - begin).total_seconds(), 0.0)
        if promotion.healthy_since is not None and promotion.failed_at is None and promotion.healthy_since <= as_of:
            sums[ROLLOUT] = max((promotion.healthy_since - promotion.merged_at).total_seconds(), 0.0)
        for name, seconds in sums.items():
            spent[promotion.stage, name].append(seconds)
    return tuple(Phase(stage=stage, name=name, seconds=tuple(sorted(values))) for (stage, name), values in sorted(spent.items()))


def _spans(one: Waited) -> Iterator[tuple[str, datetime, datetime]]:
    """The time from opening to merging, cut where the verdicts changed, each part under the name of the gate that held then."""
    promotion = one.promotion
    assert promotion.merged_at is not None
    begin, name = promotion.opened_at, UNEXPLAINED
    for at, verdicts in one.verdicts:
        if at >= promotion.merged_at:
            break
        if at > begin:
            yield name, begin, at
            begin = at
        held = _holding(verdicts)
        name = held.gate if held else UNEXPLAINED
    yield name, begin, promotion.merged_at


def _holding(verdicts: Sequence[Verdict]) -> Verdict | None:
    return next((verdict for verdict in verdicts if not verdict.lets_pass), None)
