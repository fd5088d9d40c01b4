"""The words for versions that pair between stages: where each stands, and where the stages' files differ in shape."""

from collections.abc import Mapping, Sequence

from bot.domain.slot import Slot
from bot.messages.words import listing


def place(slot: Slot) -> str:
    """`api/values.yaml:7 1.9.1`."""
    return f"{slot.path}:{slot.line} {slot.version}"


def only_in(artifact: str, there: Sequence[str], missing: Sequence[str]) -> str:
    verb = "has" if len(missing) == 1 else "have"
    return f"{artifact} stands in {listing(there)}; {listing(missing)} {verb} no place for it, and nothing is written there."


def called(names: Mapping[str, Sequence[str]]) -> str:
    said = "; ".join(f"{', '.join(one)} in {stage}" for stage, one in names.items())
    return f"One image under several names, as the configuration says: {said}. Only its version travels."


def pinned(pins: Sequence[Slot], loose: Sequence[Slot]) -> str:
    one, other = pins[0], loose[0]
    return f"{one.path}:{one.line} pins a digest, {other.path}:{other.line} names a tag alone. Each place keeps its shape."


def counted(counts: Mapping[str, int]) -> str:
    said = listing([f"{count} in {stage}" for stage, count in counts.items()])
    return f"Not as many places in every stage: {said}. All places of a stage get the same version."


def formats(kept: Mapping[str, Sequence[str]]) -> str:
    said = listing([f"{' and '.join(one)} in {stage}" for stage, one in kept.items()])
    return f"Kept in different kinds of file: {said}."
