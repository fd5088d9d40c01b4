"""Which services there are and where their versions stand, from the slots found in each stage and the configuration.

Without configuration every artifact that stands in two or more stages is a service named after the last part of its
name. Configuration groups, renames and ignores, and lists an artifact per stage where the registry differs.
Leaves to `candidates` what should move, and to `manifests` how a slot is found.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.config.schema import Config
from bot.domain.facts import ServiceView
from bot.domain.image import Version
from bot.domain.order import same
from bot.domain.release import Release
from bot.domain.slot import Holds, Slot, SlotProblem

Slots = Mapping[str, tuple[Slot, ...]]
"""All slots of each stage, by the stage's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which service an artifact belongs to, and which of its components it is."""

    service: str
    component: str


def parts(config: Config, slots: Slots) -> Mapping[str, Mapping[str, Part]]:
    """For each stage: artifact -> part. An artifact that no service owns in a stage is absent."""
    configured = {stage: _configured(config, stage) for stage in slots}
    seen_in: dict[tuple[str, Holds], set[str]] = defaultdict(set)
    for stage, found in slots.items():
        for slot in found:
            if slot.artifact not in configured[stage] and config.discovery.enabled and not config.discovery.ignores(slot.artifact):
                seen_in[slot.artifact, slot.holds].add(stage)
    shared = {artifact: holds for (artifact, holds), stages in sorted(seen_in.items()) if len(stages) > 1}
    discovered = short_names(shared, taken=set(config.services))
    return {
        stage: {
            **{artifact: Part(service=name, component="0") for artifact, name in discovered.items()},
            **{artifact: part for artifact, part in configured[stage].items() if not config.services[part.service].ignore},
        }
        for stage in slots
    }


def views(config: Config, slots: Slots, problems: Mapping[str, tuple[SlotProblem, ...]]) -> Mapping[str, Mapping[str, ServiceView]]:
    """For each stage the services that stand in it, by name."""
    owners = parts(config, slots)
    return {stage: _stage_views(owners[stage], slots[stage], problems.get(stage, ())) for stage in slots}


def _stage_views(owners: Mapping[str, Part], slots: Iterable[Slot], problems: tuple[SlotProblem, ...]) -> dict[str, ServiceView]:
    by_service: dict[str, list[Slot]] = defaultdict(list)
    for slot in slots:
        if slot.artifact in owners:
            by_service[owners[slot.artifact].service].append(slot)
    by_path: dict[str, list[SlotProblem]] = defaultdict(list)
    for problem in problems:
        by_path[problem.path].append(problem)
    found = {}
    for service, own in by_service.items():
        components = {slot.artifact: owners[slot.artifact].component for slot in own}
        release = _release(own, components)
        found[service] = ServiceView(
            service=service,
            slots=tuple(own),
            release=release,
            components=components,
            ambiguous=release is None,
            problems=tuple(problem for path in sorted({slot.path for slot in own}) for problem in by_path.get(path, ())),
        )
    return found


def _release(slots: list[Slot], components: Mapping[str, str]) -> Release | None:
    by_component: dict[str, list[Version]] = defaultdict(list)
    for slot in slots:
        by_component[components[slot.artifact]].append(slot.version)
    agreed = {component: _agreed(versions) for component, versions in by_component.items()}
    if any(version is None for version in agreed.values()):
        return None
    return Release(versions=tuple(sorted((component, version) for component, version in agreed.items() if version is not None)))


def _agreed(versions: list[Version]) -> Version | None:
    """The one version of all slots, with its digest where any of them knows it; None when they disagree."""
    first = versions[0]
    for version in versions[1:]:
        if not same(first, version):
            return None
        first = Version(tag=first.tag or version.tag, digest=first.digest or version.digest)
    return first


def _configured(config: Config, stage: str) -> dict[str, Part]:
    return {
        artifact: Part(service=name, component=str(place))
        for name, service in config.services.items()
        for place, artifact in enumerate((*service.images_in(stage), *service.charts))
    }


def short_names(artifacts: Mapping[str, Holds], *, taken: set[str]) -> dict[str, str]:
    """The last part of each artifact's name, or as many parts as keep two apart; charts and sources step aside for images.

    `ghcr.io/acme/payments` and the chart `oci://ghcr.io/acme/charts/payments` are `payments` and `payments-chart`; a chart alone keeps
    the short name. Which spelling names the chart (a chart's name, an address in a registry) makes no difference.
    """
    names: dict[str, str] = {}
    used = set(taken)
    tails: dict[tuple[str, ...], int] = defaultdict(int)
    images = [artifact for artifact, holds in artifacts.items() if holds is Holds.IMAGE]
    for artifact in images:
        split = _split(artifact)
        for count in range(1, len(split) + 1):
            tails[tuple(split[-count:])] += 1
    for artifact in images:
        split = _split(artifact)
        choices = [split[-count:] for count in range(1, len(split) + 1)]
        best = next((tail for tail in choices if tails[tuple(tail)] == 1 and "-".join(tail) not in used), split)
        names[artifact] = "-".join(best)
        used.add(names[artifact])
    for artifact, holds in artifacts.items():
        if holds is Holds.IMAGE:
            continue
        short = _split(artifact)[-1].removesuffix(".git")
        choices_flat = [short, f"{short}-{holds.value}", "-".join(_split(artifact))]
        names[artifact] = next((name for name in choices_flat if name not in used), f"{artifact}-{holds.value}")
        used.add(names[artifact])
    return names


def _split(artifact: str) -> list[str]:
    return [part for part in artifact.replace("://", "/").split("/") if part] or [artifact]
