"""Ranges of versions: npm's own examples."""

import pytest

from bot.domain.version_range import VersionRange

INSIDE = [
    ("", "1.2.3"),
    ("*", "1.2.3"),
    ("1.x", "1.9.0"),
    ("1.2.X", "1.2.9"),
    (">=1.2 <2", "1.10.0"),
    (">=1.2, <2", "1.2.0"),
    ("^1.4.0", "1.9.9"),
    ("^0.2.3", "0.2.9"),
    ("^0.0.3", "0.0.3"),
    ("~1.4", "1.4.7"),
    ("~1.4.2", "1.4.9"),
    ("~1", "1.9.0"),
    ("1.2.3", "v1.2.3"),
    ("=v1.2.3", "1.2.3"),
    (">1", "2.0.0"),
    ("<=1.2", "1.2.9"),
    (">=2 || ^0.9", "0.9.4"),
    ("^1.2.3-beta.2", "1.2.3-beta.4"),
    (">=1.2.3-rc.1", "1.2.3-rc.2"),
    ("!=1.2.3", "1.2.4"),
]
OUTSIDE = [
    ("1.x", "2.0.0"),
    (">=1.2 <2", "2.0.0"),
    ("^1.4.0", "2.0.0"),
    ("^0.2.3", "0.3.0"),
    ("^0.0.3", "0.0.4"),
    ("~1.4", "1.5.0"),
    ("~1.4.2", "1.5.0"),
    (">1", "1.9.0"),
    ("<=1.2", "1.3.0"),
    ("<2", "2.0.0-rc.1"),
    ("", "1.2.3-rc.1"),
    ("^1.2.3-beta.2", "1.3.0-beta.1"),
    ("^1.2.3", "1.2.3-beta"),
    ("*", "latest"),
    ("*", "main-123"),
    ("*", "20251120"),
    ("1.2.3", "1.2.30"),
    ("!=1.2.3", "1.2.3"),
]


@pytest.mark.parametrize(("text", "version"), INSIDE)
def test_inside(text: str, version: str) -> None:
    assert VersionRange.parse(text).holds(version)


@pytest.mark.parametrize(("text", "version"), OUTSIDE)
def test_outside(text: str, version: str) -> None:
    assert not VersionRange.parse(text).holds(version)


def test_prereleases_are_inside_when_they_are_asked_for() -> None:
    assert VersionRange.parse(">=1").holds("1.2.3-rc.1", prereleases=True)
    assert not VersionRange.parse("^1").holds("2.0.0-rc.1", prereleases=True)


@pytest.mark.parametrize("text", ["latest", ">=", "1.2.3.4", "^a", ">=1<2x", "1 -", "!=1.2", "x" * 300])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        VersionRange.parse(text)
