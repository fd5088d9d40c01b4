"""How a release travels: which characters of the target stage's slots change, and to what.

Only versions travel. A slot keeps its shape: where it holds a tag alone, only the tag is written; where it holds a
digest, a digest must be known. What cannot be carried over without a guess is refused with a sentence.
"""

from bot.domain.facts import ServiceView
from bot.domain.image import Version
from bot.domain.order import same
from bot.domain.promotion import SlotEdit
from bot.domain.release import Release
from bot.domain.slot import Slot


class CannotCarry(ValueError):
    """A slot cannot take the new version; the text is a sentence with file:line that says why and how to mend it."""


def edits(target: ServiceView, release: Release, *, folder: str) -> tuple[SlotEdit, ...]:
    """The edits that bring every slot of `target` to `release`; empty when all stand there already.

    Paths count from the repository's root. Raises `CannotCarry`.
    """
    found = []
    for slot in target.slots:
        wanted = release.get(target.components[slot.artifact])
        if wanted is None or same(slot.version, wanted):
            continue
        new = shaped(slot, wanted)
        if new != slot.version:
            path = f"{folder}/{slot.path}" if folder else slot.path
            found.append(SlotEdit(path=path, address=dict(slot.address), artifact=slot.artifact, old=slot.version, new=new, line=slot.line))
    return tuple(found)


def shaped(slot: Slot, wanted: Version) -> Version:
    """`wanted` in the shape that the slot has: tag, digest, or both."""
    place = f"{slot.path}:{slot.line}"
    if slot.version.digest is None:
        if wanted.tag is None:
            raise CannotCarry(
                f"{place} holds a tag, but upstream names {slot.artifact} by digest only ({wanted}). "
                "Write the tag beside the digest upstream."
            )
        return Version(tag=wanted.tag)
    if wanted.digest is None:
        raise CannotCarry(
            f"{place} pins {slot.artifact} by digest, but upstream names {wanted.tag} without one. "
            "Write the digest upstream too, or drop it here: the runtime follows the digest."
        )
    if slot.version.tag is None:
        return Version(digest=wanted.digest)
    if wanted.tag is None:
        raise CannotCarry(
            f"{place} holds a tag and a digest, but upstream names {slot.artifact} by digest only. Write the tag upstream too."
        )
    return wanted


def payload(version: Version) -> dict[str, str] | str:
    """The new value as `manifests.edit` takes it."""
    return {key: value for key, value in (("tag", version.tag), ("digest", version.digest)) if value is not None}
