"""Which version is newer, and when nobody can tell."""

import pytest

from bot.domain.image import Version
from bot.domain.order import compare, compare_tags, same
from bot.domain.release import Release, compare_releases, same_release

A = "sha256:" + "a" * 64
B = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9.0", "1.10.0"),
        ("v1.9.0", "v1.10.0"),
        ("v1.9.0", "1.10.0"),
        ("1.9", "1.9.1"),
        ("1.0.0-rc.1", "1.0.0"),
        ("1.0.0-rc.2", "1.0.0-rc.10"),
        ("1.0.0-alpha", "1.0.0-beta"),
        ("1.0.0-1", "1.0.0-alpha"),
        ("2026.11.2", "2026.11.20"),
        ("41", "42"),
        ("build-41", "build-42"),
        ("release-1.2", "release-1.3"),
    ],
)
def test_newer_both_ways(older, newer):
    assert compare_tags(older, newer) == -1
    assert compare_tags(newer, older) == 1


@pytest.mark.parametrize(("one", "other"), [("1.2", "1.2.0"), ("v1.0.0", "1.0.0"), ("1.0.0+a", "1.0.0+b")])
def test_equal_in_order(one, other):
    assert compare_tags(one, other) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("0f3a9c1", "1.2.0"), ("0f3a9c1", "7e12345"), ("main", "1.0"), ("build-1", "release-2"), ("latest", "stable"), ("", "1")],
)
def test_nobody_can_tell(one, other):
    assert compare_tags(one, other) is None


def test_one_tag_with_two_digests_is_not_comparable_and_not_the_same():
    one, other = Version(tag="1.0", digest=A), Version(tag="1.0", digest=B)
    assert compare(one, other) is None
    assert not same(one, other)


def test_an_unknown_digest_says_nothing():
    assert same(Version(tag="1.0", digest=A), Version(tag="1.0"))
    assert compare(Version(tag="1.0", digest=A), Version(tag="1.0")) == 0


def test_digests_alone():
    assert same(Version(digest=A), Version(tag="1.0", digest=A))
    assert not same(Version(digest=A), Version(digest=B))
    assert not same(Version(digest=A), Version(tag="1.0"))
    assert compare(Version(digest=A), Version(digest=B)) is None
    assert not same(Version(), Version())


def release(**versions):
    return Release(versions=tuple((name, Version(tag=tag)) for name, tag in versions.items()))


def test_releases_compare_by_the_components_they_share():
    assert same_release(release(api="1", worker="2"), release(api="1"))
    assert not same_release(release(api="1"), release(worker="1"))
    assert compare_releases(release(api="1", worker="2"), release(api="2", worker="2")) == -1
    assert compare_releases(release(api="1", worker="3"), release(api="2", worker="2")) is None
    assert compare_releases(release(api="1"), release(worker="2")) == 0


def test_a_release_in_words():
    assert str(release(api="1.4.2")) == "1.4.2"
    assert str(release(api="1.4.2", worker="1.4.2")) == "1.4.2"
    assert str(release(api="1.4.2", worker="1.3.0")) == "1.4.2 (worker 1.3.0)"
    assert release(api="1", worker="2").get("worker") == Version(tag="2")
    assert release(api="1").get("worker") is None
