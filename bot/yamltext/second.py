"""The second opinion: ruamel.yaml, a YAML 1.2 reader written apart from libyaml, on what is about to be written.

It reads at about six seconds for a megabyte, so it is shown the lines that change and not the file around them.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.loader import BaseLoader
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner
from yaml import YAMLError as LibyamlError
from yaml._yaml import CParser

Shape = tuple[tuple[str, str | None], ...]
_FAILURES = (YAMLError, ValueError, IndexError, AttributeError, RecursionError)


@lru_cache(maxsize=512)
def reads_alike(before: str, after: str, values: tuple[str, ...] | None) -> bool:
    """True where YAML 1.2 sees in `after` what YAML 1.1 sees, or sees it differ from `before` in scalars only.

    The scalars that may differ are exactly `values`, or any one of them where `values` is None. Lines torn from a larger construct may
    be unreadable alone, for both readers: then there is nothing to compare, and the first reader's reading of the whole file stands.
    """
    if values is None and _same_tokens(after):
        return True
    new, old = _shape(after), _shape(before)
    if old is None:
        return values is None
    if new is None or len(old) != len(new) or any(one[0] != other[0] for one, other in zip(old, new, strict=True)):
        return False
    changed = [other[1] for one, other in zip(old, new, strict=True) if one[1] != other[1]]
    if values is None:
        return len(changed) == 1
    return sorted(text or "" for text in changed) == list(values)


def _shape(text: str) -> Shape | None:
    """What ruamel.yaml's parser sees: the kinds of its events and the scalars' texts; None where it cannot read."""
    try:
        return tuple((type(event).__name__, getattr(event, "value", None)) for event in _second_events(text))
    except _FAILURES:
        return None


def _second_events(text: str) -> Iterator[Any]:
    """ruamel.yaml's events. Its plain loader starts in half the time of the `YAML` object, but knows no directives."""
    if "%" in text:
        yield from YAML(typ="safe", pure=True).parse(text)
        return
    reader = BaseLoader(text, version=(1, 2))
    while reader.check_event():
        yield reader.get_event()


class _Cutter(Reader, Scanner):
    """ruamel.yaml's reader and scanner alone: a loader's other parts take a third of the time, and are not asked here."""

    comment_handling = None
    processing_version = scanner_processing_version = (1, 2)
    reader = None  # in the scanner a property that looks for it anew at every character

    def __init__(self, text: str) -> None:
        self.reader = self
        Reader.__init__(self, text, loader=self)
        Scanner.__init__(self, loader=self)


def _same_tokens(text: str) -> bool:
    """True where both scanners cut the text into the same tokens: what the parsers make of them is one grammar."""
    second = _Cutter(text)
    fetch, next_token = second.fetch_more_tokens, CParser(text).get_token
    try:
        while not second.done:
            fetch()
        for token in second.tokens:
            other = next_token()
            if token.__class__.__name__ != other.__class__.__name__ or getattr(token, "value", None) != getattr(other, "value", None):
                return False
        return next_token() is None
    except (*_FAILURES, LibyamlError):
        return False
