"""What the rules of time say of a promotion's workloads: flapping, crash loops that look healthy in between, degraded for too long.

Folds each workload's timeline by the same rules as `rollout replay` (`workloads/watch`). Only bad news comes from here; that a
rollout is healthy, or too late, is decided in `rollouts` from what was recorded, which outlives a restart of the bot.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.config.schema import Stage
from bot.domain.facts import Facts, Health, ServiceView
from bot.domain.image import Version
from bot.domain.release import Release
from bot.domain.rollout import WorkloadState
from bot.domain.slot import Holds
from bot.workloads.watch import Limits, Outcome, Ruling, follow, judge


def bad_news(stage: Stage, facts: Facts, wanted: Mapping[str, Release], started: datetime) -> Ruling | None:
    """The worst ruling on the workloads of these services since `started`: a settled failure first, else one that may still pass."""
    found = [ruling for service in wanted for ruling in _rulings(stage, facts, service, started) if ruling.outcome is Outcome.DEGRADED]
    return next((ruling for ruling in found if ruling.settled), found[0] if found else None)


def _rulings(stage: Stage, facts: Facts, service: str, started: datetime) -> Iterable[Ruling]:
    view = facts.stages[stage.name]
    declared, health = view.services.get(service), view.health.get(service)
    if declared is None or health is None or not health.taken:
        return
    limits = Limits(timeout=stage.rollout.timeout, bake=stage.rollout.bake, confirm=stage.rollout.grace)
    for workload, image in _watched(declared, health):
        timeline = view.timelines.get(workload.ref, ())
        track = follow(image, limits, started, _since(timeline, started))
        if track.present is not None:
            yield judge(track, facts.now)


def _watched(declared: ServiceView, health: Health) -> Iterable[tuple[WorkloadState, str]]:
    """Each workload of the service with the image reference that it should want."""
    images = {slot.artifact: _reference(slot.artifact, slot.version) for slot in declared.slots if slot.holds is Holds.IMAGE}
    for workload in health.workloads:
        for artifact, reference in images.items():
            if any(image.startswith((f"{artifact}:", f"{artifact}@")) or artifact in image for image in workload.images):
                yield workload, reference
                break


def _reference(artifact: str, version: Version) -> str:
    tag = f":{version.tag}" if version.tag else ""
    return f"{artifact}{tag}" + (f"@{version.digest}" if version.digest else "")


def _since(timeline: tuple[WorkloadState, ...], started: datetime) -> tuple[WorkloadState, ...]:
    """The state at `started` and all later ones."""
    later = [place for place, state in enumerate(timeline) if state.observed_at >= started]
    first = later[0] if later else len(timeline)
    return timeline[max(0, first - 1) :]
