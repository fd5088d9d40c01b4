"""Which versions of a service pair with which between stages, with file:line, and where their shapes differ. Pure.

Slots pair by what they hold a version of: one artifact, or one component where the configuration says that two artifacts are the same.
What follows from a pair is decided in `candidates` and `transfer`; the sentences are `messages.pairs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.facts import StageView
from bot.domain.slot import Slot
from bot.messages import pairs as say


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One component of a service: the slots that hold its version, by stage, in the pipeline's order; and what differs, in sentences."""

    name: str
    places: Mapping[str, tuple[Slot, ...]]
    notes: tuple[str, ...] = ()


def service_pairs(stages: Mapping[str, StageView], target: str, upstreams: Sequence[str], service: str) -> tuple[Pair, ...]:
    """The pairs of a service between a stage and those before it."""
    names = [*(name for name in upstreams if name in stages), *([target] if target in stages else [])]
    components: dict[str, dict[str, tuple[Slot, ...]]] = {}
    for name in names:
        view = stages[name].services.get(service)
        for slot in view.slots if view is not None else ():
            held = components.setdefault(view.components[slot.artifact], dict.fromkeys(names, ()))  # type: ignore[union-attr]
            held[name] = (*held[name], slot)
    return tuple(pair_of(places) for _, places in sorted(components.items()))


def artifact_pairs(stages: Mapping[str, Sequence[Slot]]) -> tuple[Pair, ...]:
    """The pairs among slots that no configuration was asked about: those of one artifact."""
    found: dict[tuple[str, str], dict[str, tuple[Slot, ...]]] = {}
    for name, slots in stages.items():
        for slot in slots:
            held = found.setdefault((slot.artifact, slot.holds.value), dict.fromkeys(stages, ()))
            held[name] = (*held[name], slot)
    return tuple(pair_of(places) for _, places in sorted(found.items()))


def pair_of(places: Mapping[str, tuple[Slot, ...]]) -> Pair:
    """The pair with its notes. It is named after what it is called in the first stage that has it."""
    first = next(slot for slots in places.values() for slot in slots)
    return Pair(name=first.artifact, places=dict(places), notes=tuple(_notes(places)))


def _notes(places: Mapping[str, tuple[Slot, ...]]) -> list[str]:
    there = {stage: slots for stage, slots in places.items() if slots}
    missing = [stage for stage, slots in places.items() if not slots]
    notes = []
    if missing and there:
        notes.append(say.only_in(next(iter(there.values()))[0].artifact, list(there), missing))
    names = {stage: sorted({slot.artifact for slot in slots}) for stage, slots in there.items()}
    if len({tuple(one) for one in names.values()}) > 1:
        notes.append(say.called(names))
    pinned = {stage: [slot for slot in slots if slot.version.digest is not None] for stage, slots in there.items()}
    loose = {stage: [slot for slot in slots if slot.version.digest is None] for stage, slots in there.items()}
    if any(pinned.values()) and any(loose.values()):
        notes.append(say.pinned([one for slots in pinned.values() for one in slots], [one for slots in loose.values() for one in slots]))
    counts = {stage: len(slots) for stage, slots in there.items()}
    if len(set(counts.values())) > 1:
        notes.append(say.counted(counts))
    kept = {stage: sorted({slot.format for slot in slots}) for stage, slots in there.items()}
    if len({tuple(one) for one in kept.values()}) > 1:
        notes.append(say.formats(kept))
    return notes
