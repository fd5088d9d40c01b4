"""`.env` files: images, and variables that say they are a version or a tag."""

import re

from bot.domain.image import ImageRef, Version, split_reference
from bot.domain.slot import Holds, Slot, SlotProblem
from bot.manifests.found import FileSlots
from bot.manifests.images import IMAGE_KEY
from bot.manifests.lines import line_slot
from bot.manifests.named_values import NOT_OURS, VERSION_KEY, artifact_of
from bot.manifests.revisions import is_revision
from bot.manifests.shelf import TextFormat

_FILE = re.compile(r"(?:^|/)(?:\.env(?:\.[^/]+)?|[^/]+\.env)\Z")
_LINE = re.compile(r"""^(?:export[ \t]+)?(?P<key>[A-Za-z_][\w.]*)=(?P<quote>["']?)(?P<value>[^"'\s#]+)(?P=quote)[ \t]*(?:#.*)?\r?$""", re.M)
HEAD = r"""^(?:export[ \t]+)?"""


def read(path: str, text: str) -> FileSlots:
    """All slots; a key that stands twice is told as a problem."""
    slots: list[Slot] = []
    problems: list[SlotProblem] = []
    found = list(_LINE.finditer(text))
    names = [one["key"] for one in found]
    for match in found:
        slot = _slot(path, text, match)
        if slot is None:
            continue
        if names.count(match["key"]) > 1:
            message = f"{match['key']} stands twice in the file. Remove one of them."
            problems.append(SlotProblem(path=path, line=slot.line, code="AmbiguousMatch", message=message))
            continue
        slots.append(slot)
    return FileSlots(slots=tuple(slots), problems=tuple(problems))


def _slot(path: str, text: str, match: "re.Match[str]") -> Slot | None:
    key, value = match["key"], match["value"]
    head = HEAD + re.escape(key) + r"""=["']?"""
    if IMAGE_KEY.match(key.lower()):
        reference, spans = ImageRef.parse(value), split_reference(value)
        if reference is None or spans is None or spans.tag_start < 0:
            return None
        start = match.start("value") + spans.tag_start
        pattern = head + re.escape(value[: spans.tag_start]) + r"""(?P<version>[^"'\s#]+)"""
        return line_slot(path, text, (start, match.end("value")), pattern, Holds.IMAGE, reference.name, reference.version, ("dotenv", key))
    if not VERSION_KEY.match(key) or NOT_OURS.match(key) or not is_revision(value):
        return None
    pattern = head + r"""(?P<version>[^"'\s#]+)"""
    artifact = artifact_of(key.lower(), "", path)
    return line_slot(path, text, match.span("value"), pattern, Holds.VALUE, artifact, Version.parse(value), ("dotenv", key))


FORMAT = TextFormat(
    name="dotenv",
    needles=(b"IMAGE", b"VERSION", b"TAG", b"DIGEST", b"mage", b"ersion", b"tag"),
    claims=lambda path: _FILE.search(path) is not None,
    read=read,
)
