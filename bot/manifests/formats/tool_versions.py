"""`.tool-versions` (asdf, mise): the first version of each tool; `system`, `latest` and `path:` are none."""

import re

from bot.domain.image import Version
from bot.domain.slot import Holds
from bot.manifests.found import FileSlots
from bot.manifests.lines import line_slot
from bot.manifests.revisions import is_revision
from bot.manifests.shelf import TextFormat

_LINE = re.compile(r"^(?P<tool>[\w.-]+)[ \t]+(?P<version>[^\s#]+)", re.M)


def read(path: str, text: str) -> FileSlots:
    """One slot for each tool."""
    slots = [
        line_slot(
            path,
            text,
            match.span("version"),
            "^" + re.escape(match["tool"]) + r"[ \t]+(?P<version>[^\s#]+)",
            Holds.VALUE,
            match["tool"],
            Version(tag=match["version"]),
            ("tool-versions", match["tool"]),
        )
        for match in _LINE.finditer(text)
        if is_revision(match["version"])
    ]
    return FileSlots(slots=tuple(slots))


FORMAT = TextFormat(name="tool-versions", needles=(b"",), claims=lambda path: path.rsplit("/", 1)[-1] == ".tool-versions", read=read)
