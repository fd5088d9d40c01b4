"""Delivery figures as Prometheus samples, for a registry or a scrape page that others own.

Decides names, labels and which samples exist: a figure that is not known is absent, never 0. Counters and histograms are over the
whole history, so that a restart does not reset them; gauges are over the window that their label names.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.statistics import median
from bot.reporting.dora import Report, age
from bot.reporting.lineage import Lineage
from bot.reporting.roles import Role

BUCKETS = (900, 3_600, 14_400, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000)
_COUNTED = frozenset([Role.DEPLOYMENT, Role.ROLLBACK, Role.REDEPLOY])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample of a family. `kind` is counter, gauge or histogram; `labels` are sorted pairs."""

    name: str
    kind: str
    help: str
    labels: tuple[tuple[str, str], ...]
    value: float


def totals(lineage: Lineage) -> Iterator[Sample]:
    """Counters and histograms of a stage."""
    rollouts: Counter[tuple[str, str]] = Counter()
    for rollout in lineage.rollouts:
        kind = rollout.kind.value if rollout.role in _COUNTED else "failed"
        rollouts[rollout.deploy.service, "redeploy" if rollout.role is Role.REDEPLOY else kind] += 1
    changes = Counter(change.first.service for change in lineage.changes)
    failed = Counter(change.first.service for change in lineage.changes if change.failed)
    for (service, kind), count in sorted(rollouts.items()):
        told = "Rollouts that ended, by what they were."
        yield _sample("promotion_bot_rollouts_total", "counter", told, count, lineage, {"service": service, "kind": kind})
    for service, count in sorted(changes.items()):
        told = "Changes, by the definitions of the reports."
        yield _sample("promotion_bot_changes_total", "counter", told, count, lineage, {"service": service})
        told = "Changes that failed."
        yield _sample("promotion_bot_changes_failed_total", "counter", told, failed[service], lineage, {"service": service})
    leads: dict[str, list[float]] = defaultdict(list)
    recoveries: dict[str, list[float]] = defaultdict(list)
    for lead in lineage.leads:
        if lead.seconds >= 0:
            leads[lead.deploy.service].append(lead.seconds)
    for change in lineage.changes:
        if change.failed and change.recovery_s is not None and change.recovery_s >= 0:
            recoveries[change.first.service].append(change.recovery_s)
    yield from _histogram("promotion_bot_lead_time_seconds", "From commit to deployment.", leads, lineage)
    yield from _histogram("promotion_bot_recovery_seconds", "From a failed change's first attempt to its recovery.", recoveries, lineage)


def windowed(report: Report, name: str) -> Iterator[Sample]:
    """Gauges over one window, `name` being what its label says (`28d`), each with its sample size."""
    figures: Sequence[tuple[str, float | None, int]] = (
        ("deployments_per_day", report.deployments_per_day, len(report.deployments)),
        ("change_fail_ratio", report.change_fail_rate, len(report.changes)),
        ("lead_time_median_seconds", median(report.lead_times), len(report.lead_times)),
        ("recovery_median_seconds", median(report.recovery_times), len(report.recovery_times)),
        ("rework_ratio", report.rework_rate, len(report.deployments) + len(report.rollbacks)),
    )
    labels = {"stage": report.stage, "window": name} | ({"team": report.team} if report.team else {})
    for figure, value, size in figures:
        if value is not None:
            yield _plain(f"promotion_bot_dora_{figure}", "gauge", "A delivery metric over a window.", value, labels)
        sized = labels | {"metric": figure}
        yield _plain("promotion_bot_dora_sample_size", "gauge", "Over how many rows a delivery metric stands.", size, sized)
    for change in report.open_failures:
        whose = {"stage": report.stage, "service": change.first.service, "deploy": change.first.id}
        told = "Age of a failed change that is not recovered."
        yield _plain("promotion_bot_open_failure_age_seconds", "gauge", told, age(change, report.as_of), whose)


def exposition(samples: Iterator[Sample]) -> str:
    """The samples in Prometheus' text format, families together."""
    families: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        families[_family(sample)].append(sample)
    lines = []
    for family, found in families.items():
        lines += [f"# HELP {family} {found[0].help}", f"# TYPE {family} {found[0].kind}"]
        for sample in found:
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)
            lines.append(f"{sample.name}{{{labels}}} {sample.value:.10g}")
    return "\n".join(lines) + "\n" if lines else ""


def _histogram(name: str, told: str, values: dict[str, list[float]], lineage: Lineage) -> Iterator[Sample]:
    for service, seconds in sorted(values.items()):
        for bucket in BUCKETS:
            count = sum(value <= bucket for value in seconds)
            yield _sample(f"{name}_bucket", "histogram", told, count, lineage, {"service": service, "le": str(bucket)})
        yield _sample(f"{name}_bucket", "histogram", told, len(seconds), lineage, {"service": service, "le": "+Inf"})
        yield _sample(f"{name}_sum", "histogram", told, sum(seconds), lineage, {"service": service})
        yield _sample(f"{name}_count", "histogram", told, len(seconds), lineage, {"service": service})


def _sample(name: str, kind: str, told: str, value: float, lineage: Lineage, labels: dict[str, str]) -> Sample:
    return _plain(name, kind, told, value, {"stage": lineage.stage} | labels)


def _plain(name: str, kind: str, told: str, value: float, labels: dict[str, str]) -> Sample:
    return Sample(name=name, kind=kind, help=told, labels=tuple(sorted(labels.items())), value=value)


def _family(sample: Sample) -> str:
    if sample.kind != "histogram":
        return sample.name
    return sample.name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
