"""The second opinion: ruamel.yaml, a YAML 1.2 reader written apart from libyaml, on what is about to be written.

It reads at about six seconds for a megabyte, so it is shown the lines that change and not the file around them.
"""

from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

Shape = tuple[tuple[str, str | None], ...]


@lru_cache(maxsize=512)
def reads_alike(before: str, after: str, values: tuple[str, ...] | None) -> bool:
    """True where both texts have the same structure for YAML 1.2 and differ in scalars only: in exactly `values`, or in one.

    Lines torn from a larger construct may not be readable alone; then there is nothing to compare, and the whole-file
    reading by the first reader stands.
    """
    old = _shape(before)
    if old is None:
        return values is None
    new = _shape(after)
    if new is None or len(old) != len(new) or any(one[0] != other[0] for one, other in zip(old, new, strict=True)):
        return False
    changed = [other[1] for one, other in zip(old, new, strict=True) if one[1] != other[1]]
    if values is None:
        return len(changed) == 1
    return sorted(text or "" for text in changed) == list(values)


def _shape(text: str) -> Shape | None:
    """What ruamel.yaml's parser sees: the kinds of its events and the scalars' texts; None where it cannot read."""
    try:
        return tuple((type(event).__name__, getattr(event, "value", None)) for event in YAML(typ="safe", pure=True).parse(text))
    except (YAMLError, ValueError, IndexError, AttributeError, RecursionError):
        return None
