"""Whether a stage's delivery metrics allow a promotion: the decision behind the `dora` gate, and its sentence.

Decides from numbers that were counted elsewhere (`reporting.dora`) and from the rule a stage gave. Reverts, rollbacks and hotfixes
always pass: a gate must never block the remedy. Windows are spans of time, never numbers of deployments: a blocked stage would not clear.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.duration import spell
from bot.domain.history import RolloutKind
from bot.domain.instants import format_instant
from bot.domain.statistics import wilson_bounds

_REMEDIES = frozenset([RolloutKind.ROLLBACK, RolloutKind.REVERT, RolloutKind.HOTFIX])


class Mode(StrEnum):
    """What a part of the rule may do when its signal is bad."""

    OFF = "off"
    WARN = "warn"
    BLOCK = "block"


class Signal(StrEnum):
    """The answer, worst last. `insufficient` and `exempt` allow, and say why nothing was judged."""

    EXEMPT = "exempt"
    PASS = "pass"  # noqa: S105
    INSUFFICIENT = "insufficient"
    WARN = "warn"
    BLOCK = "block"

    @property
    def allows(self) -> bool:
        """Everything but a block lets the promotion on."""
        return self is not Signal.BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class DoraRule:
    """What a stage allows. Rates are fractions; the fail rate's window is fixed by who counts (`DeliveryStats.days`)."""

    open_failure: Mode = Mode.BLOCK
    change_fail_rate: Mode = Mode.WARN
    limit: float = 0.15
    min_changes: int = 10
    recovery: Mode = Mode.WARN
    recovery_limit: timedelta = timedelta(hours=24)
    min_recovered: int = 3
    error_budget: Mode = Mode.OFF
    budget_floor: float = 0.0
    exempt_kinds: frozenset[RolloutKind] = frozenset()
    exempt_labels: frozenset[str] = frozenset(["security", "dora:override"])
    max_block: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFailure:
    """A failed change of the target stage that is not recovered: the deploy's id, its service and version, since when (UTC)."""

    deploy: str
    service: str
    version: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DoraOverride:
    """A person's order to let promotions on until an instant (UTC)."""

    by: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStats:
    """The target stage's figures over the last `days` days as known at `as_of`, and what is known of the promotion itself.

    `recovery_median` is over `recovered` changes of the last `recovery_days` days. `budget_remaining` is the error budget's fraction
    that is left, None where it could not be read. `blocked_since` is the first instant of the block in force now, None for none;
    `rate_blocked` says whether the fail rate took part in the last answer's block.
    """

    failed: int
    changes: int
    days: int
    as_of: datetime
    open_failures: tuple[OpenFailure, ...] = ()
    recovered: int = 0
    recovery_median: timedelta | None = None
    recovery_days: int = 90
    budget_remaining: float | None = None
    blocked_since: datetime | None = None
    rate_blocked: bool = False
    kind: RolloutKind = RolloutKind.PROMOTION
    labels: frozenset[str] = frozenset()
    override: DoraOverride | None = None


def judge(stats: DeliveryStats | None, rule: DoraRule, now: datetime) -> tuple[Signal, str]:
    """The signal for one promotion and the sentence that tells its numbers. Without any history it allows, and says so."""
    if stats is None:
        return Signal.INSUFFICIENT, "There is no delivery history to judge by: allowed."
    if (exemption := _exemption(stats, rule, now)) is not None:
        return Signal.EXEMPT, exemption
    parts = [
        part
        for part in (_open_failure(stats, rule, now), _fail_rate(stats, rule), _recovery(stats, rule), _budget(stats, rule))
        if part is not None
    ]
    order = list(Signal)
    parts.sort(key=lambda part: -order.index(part[0]))
    if not parts:
        return Signal.PASS, "No delivery metric is asked for: allowed."
    signal = parts[0][0]
    telling = [text for found, text in parts if found is signal or found is Signal.WARN]
    if stats.override is not None and stats.override.until <= now:
        telling.append(f"the override by {stats.override.by} ended at {format_instant(stats.override.until)}")
    if signal is Signal.BLOCK and stats.blocked_since is not None and now - stats.blocked_since >= rule.max_block:
        telling.append(f"blocked since {format_instant(stats.blocked_since)}, longer than {spell(rule.max_block)}: only a warning now")
        signal = Signal.WARN
    verdict = {Signal.BLOCK: "blocked", Signal.WARN: "allowed, watch"}.get(signal, "allowed")
    return signal, f"{'; '.join(telling)}: {verdict} (as of {format_instant(stats.as_of)})."


def outlasted(stats: DeliveryStats, rule: DoraRule, now: datetime) -> datetime | None:
    """Since when the block in force has stood, where that is `max_block` or longer, so that it only warns now; else None."""
    since = stats.blocked_since
    if since is None or now - since < rule.max_block:
        return None
    return since if judge(replace(stats, blocked_since=None), rule, now)[0] is Signal.BLOCK else None


def fail_rate_signal(failed: int, changes: int, *, limit: float, min_changes: int, blocked: bool = False) -> Signal:
    """Insufficient below `min_changes`; block where the Wilson lower bound (one-sided 95 %) exceeds the limit; warn where the rate does.

    Once `blocked`, it stays so until the rate itself is back at the limit (hysteresis), or too few changes are left in the window.
    """
    bounds = wilson_bounds(failed, changes)
    if changes < min_changes or bounds is None:
        return Signal.INSUFFICIENT
    above = failed / changes > limit
    if bounds[0] > limit or (blocked and above):
        return Signal.BLOCK
    return Signal.WARN if above else Signal.PASS


def _exemption(stats: DeliveryStats, rule: DoraRule, now: datetime) -> str | None:
    if stats.kind in _REMEDIES | rule.exempt_kinds:
        return f"A {stats.kind.value} is never held by delivery metrics: allowed."
    labels = sorted(stats.labels & rule.exempt_labels)
    if labels:
        return f"The label {labels[0]} exempts this promotion from delivery metrics: allowed."
    if stats.override is not None and now < stats.override.until:
        return f"{stats.override.by} overrode delivery metrics until {format_instant(stats.override.until)}: {stats.override.reason}."
    return None


def _open_failure(stats: DeliveryStats, rule: DoraRule, now: datetime) -> tuple[Signal, str] | None:
    if rule.open_failure is Mode.OFF:
        return None
    if not stats.open_failures:
        return Signal.PASS, "no failed deployment is open"
    oldest = min(stats.open_failures, key=lambda found: (found.since, found.deploy))
    count = f"{len(stats.open_failures)} failed deployments are" if len(stats.open_failures) > 1 else "a failed deployment is"
    age = spell(max(now - oldest.since, timedelta()))
    told = f"{count} not recovered, the oldest {oldest.service} {oldest.version} ({oldest.deploy}) since {age}"
    return _limited(Signal.BLOCK, rule.open_failure), told


def _fail_rate(stats: DeliveryStats, rule: DoraRule) -> tuple[Signal, str] | None:
    if rule.change_fail_rate is Mode.OFF:
        return None
    signal = fail_rate_signal(stats.failed, stats.changes, limit=rule.limit, min_changes=rule.min_changes, blocked=stats.rate_blocked)
    count = f"{stats.failed} of {stats.changes} changes failed in {stats.days} days"
    bounds = wilson_bounds(stats.failed, stats.changes)
    if signal is Signal.INSUFFICIENT or bounds is None:
        return Signal.INSUFFICIENT, f"{count}, fewer than the {rule.min_changes} that a judgement needs"
    return _limited(signal, rule.change_fail_rate), f"{count}; lower bound {percent(bounds[0])}, limit {percent(rule.limit)}"


def _recovery(stats: DeliveryStats, rule: DoraRule) -> tuple[Signal, str] | None:
    if rule.recovery is Mode.OFF:
        return None
    if stats.recovery_median is None or stats.recovered < rule.min_recovered:
        return Signal.INSUFFICIENT, f"{stats.recovered} recoveries in {stats.recovery_days} days, too few to judge"
    told = f"median recovery {spell(stats.recovery_median)} over {stats.recovered} failures, limit {spell(rule.recovery_limit)}"
    return (_limited(Signal.BLOCK, rule.recovery) if stats.recovery_median > rule.recovery_limit else Signal.PASS), told


def _budget(stats: DeliveryStats, rule: DoraRule) -> tuple[Signal, str] | None:
    if rule.error_budget is Mode.OFF:
        return None
    if stats.budget_remaining is None:
        return Signal.INSUFFICIENT, "the error budget is not known"
    told = f"error budget left {percent(stats.budget_remaining)}, floor {percent(rule.budget_floor)}"
    return (_limited(Signal.BLOCK, rule.error_budget) if stats.budget_remaining < rule.budget_floor else Signal.PASS), told


def _limited(signal: Signal, mode: Mode) -> Signal:
    return Signal.WARN if signal is Signal.BLOCK and mode is Mode.WARN else signal


def percent(fraction: float) -> str:
    """A fraction in per cent with one decimal where it has one: `12.7 %`, `15 %`."""
    return f"{round(fraction * 100, 1):g} %"
