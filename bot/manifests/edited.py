"""The outcome of an edit: the new text, and what was spliced to get it. Pure data."""

from dataclasses import dataclass

from bot.yamltext import Splice


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """`text` is the old text with `splices` carried out; offsets count in the old text. No splices: it already said so."""

    text: str
    splices: tuple[Splice, ...] = ()
