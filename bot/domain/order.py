"""Which of two versions is newer, as far as their text can tell.

Semantic versions (with or without `v`), calendar versions and plain build numbers are compared part by part; a
pre-release stands before its release; build metadata (`+…`) does not count. Two versions of different make, or
commit hashes, cannot be compared: the answer is None, and whoever asks must not guess.
"""

import re
from functools import lru_cache
from itertools import zip_longest

from bot.domain.image import Version

_ORDERED = re.compile(r"(?P<prefix>[A-Za-z_-]*?)[vV]?(?P<numbers>\d+(?:\.\d+)*)(?:[-_](?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_HASH = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{7,40}")

Key = tuple[tuple[int, ...], tuple[tuple[int, int, str], ...] | None]


def compare(left: Version, right: Version) -> int | None:
    """-1, 0 or 1 as `left` is older than, the same as, or newer than `right`; None when nobody can tell from the text.

    Equal tags with different known digests are not comparable (a re-pushed tag); an unknown digest says nothing.
    """
    if left == right:
        return 0
    if left.tag is None or right.tag is None:
        return None
    if left.tag == right.tag:
        return None if left.digest and right.digest else 0
    return compare_tags(left.tag, right.tag)


def compare_tags(left: str, right: str) -> int | None:
    """As `compare`, for the text of two tags."""
    older, newer = _parse(left), _parse(right)
    if older is None or newer is None:
        return None
    (prefix_left, (numbers_left, pre_left)), (prefix_right, (numbers_right, pre_right)) = older, newer
    if prefix_left != prefix_right:
        return None
    for one, other in zip_longest(numbers_left, numbers_right, fillvalue=0):
        if one != other:
            return -1 if one < other else 1
    if pre_left == pre_right:
        return 0
    if pre_left is None or pre_right is None:
        return 1 if pre_left is None else -1
    return -1 if pre_left < pre_right else 1


def same(left: Version, right: Version) -> bool:
    """True when both name one version: equal tags, and equal digests where both are known."""
    if left.digest and right.digest:
        return left.digest == right.digest and (left.tag == right.tag or left.tag is None or right.tag is None)
    return left.tag == right.tag and left.tag is not None


@lru_cache(maxsize=8_192)
def _parse(tag: str) -> tuple[str, Key] | None:
    match = _ORDERED.fullmatch(tag)
    if match is None or _HASH.fullmatch(tag):
        return None
    numbers = tuple(int(part) for part in match["numbers"].split("."))
    pre = match["pre"]
    if pre is None:
        return match["prefix"], (numbers, None)
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"[.-]", pre))
    return match["prefix"], (numbers, parts)
