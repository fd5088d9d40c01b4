"""A slot in a file of lines, addressed by a regex that names its line."""

from bot.domain.image import Version
from bot.domain.slot import Holds, Slot
from bot.yamltext import line_of


def line_slot(
    path: str, text: str, span: tuple[int, int], pattern: str, holds: Holds, artifact: str, version: Version, place: tuple[str, str]
) -> Slot:
    """The slot at `span`; `place` is the format's name and the key."""
    return Slot(
        path=path,
        line=line_of(text, span[0]),
        column=span[0] - max(text.rfind("\n", 0, span[0]), text.rfind("\r", 0, span[0])),
        start=span[0],
        end=span[1],
        holds=holds,
        artifact=artifact,
        version=version,
        address={"regex": pattern},
        format=place[0],
        key=place[1],
    )
