"""The files of a promotion or of its revert: what they hold at a commit, and what they hold once the edits are in.

Every edit names what it expects to find; where something else stands, nothing is written at all.
"""

from collections.abc import Sequence

from bot.domain.edits import EditRefused, RefusalCode
from bot.domain.errors import UserError
from bot.domain.image import Version
from bot.domain.promotion import SlotEdit
from bot.manifests.editing import edit
from bot.planning.transfer import payload
from bot.ports import Repositories


class Changed(UserError):
    """A value is neither what the edit expects nor what it would write: somebody changed it."""

    code = "Changed"


def forward(repositories: Repositories, repository: str, commit: str, edits: Sequence[SlotEdit]) -> dict[str, bytes]:
    """The files that change when every edit's old value becomes the new one. `Changed` where another value stands."""
    return _edited(repositories, repository, commit, [(one, one.old, one.new) for one in edits])


def backward(repositories: Repositories, repository: str, commit: str, edits: Sequence[SlotEdit]) -> dict[str, bytes]:
    """The files that change when every edit's new value becomes the old one again; empty when all stand restored already."""
    return _edited(repositories, repository, commit, [(one, one.new, one.old) for one in edits])


def _edited(
    repositories: Repositories, repository: str, commit: str, changes: Sequence[tuple[SlotEdit, Version, Version]]
) -> dict[str, bytes]:
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for one, expected, wanted in changes:
        if one.path not in before:
            content = repositories.read(repository, commit, one.path)
            if content is None:
                raise Changed(f"{one.path} is not there any more", where=one.path, fix="restore the file, or close the promotion")
            before[one.path] = after[one.path] = content
        after[one.path] = _one(after[one.path], one, expected, wanted)
    return {path: content for path, content in after.items() if content != before[path]}


def _one(content: bytes, one: SlotEdit, expected: Version, wanted: Version) -> bytes:
    try:
        return edit(content, {**one.address, "old": payload(expected)}, payload(wanted))
    except EditRefused as refusal:
        if refusal.code != RefusalCode.STALE_VALUE:
            raise
    try:
        return edit(content, {**one.address, "old": payload(wanted)}, payload(wanted))
    except EditRefused as refusal:
        if refusal.code != RefusalCode.STALE_VALUE:
            raise
        raise Changed(
            f"{one.artifact} was expected at {expected} there, but {refusal.message}",
            where=f"{one.path}:{refusal.line}",
            fix=f"set it to {expected} or {wanted} by hand, or leave it and let a newer version follow",
        ) from None
