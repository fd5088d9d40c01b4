"""Which tag a watch means."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bot.config.artifacts import Watch
from bot.planning.picking import pick


def watch(**more: Any) -> Watch:
    return Watch.model_validate({"image": "ghcr.io/acme/app", **more})


def nobody(_tag: str) -> datetime | None:
    raise AssertionError("nobody is asked for a date here")


@pytest.mark.parametrize(
    ("settings", "tags", "chosen"),
    [
        ({}, ["1.9.0", "1.10.0", "latest", "1.11.0-rc.1"], "1.10.0"),
        ({"range": "<1.10"}, ["1.9.0", "1.10.0"], "1.9.0"),
        ({"prereleases": True}, ["1.10.0", "1.11.0-rc.1"], "1.11.0-rc.1"),
        ({}, ["v1.2.0", "1.3.0"], "1.3.0"),
        ({"pattern": "1\\..*"}, ["1.9.0", "2.0.0"], "1.9.0"),
        ({"pick": "pattern", "pattern": "main-\\d+"}, ["main-9", "main-10", "dev-11"], "main-10"),
        ({"pick": "pattern", "pattern": "main-[0-9a-f]{7}-(?P<order>\\d+)"}, ["main-fffffff-9", "main-0000000-10"], "main-0000000-10"),
        ({"pick": "pattern", "pattern": "\\d{4}\\.\\d+\\.\\d+"}, ["2025.9.1", "2025.10.1", "latest"], "2025.10.1"),
        ({"pick": "digest", "tag": "edge"}, ["edge"], "edge"),
    ],
)
def test_the_tag_that_is_meant(settings: dict[str, Any], tags: list[str], chosen: str) -> None:
    assert pick(watch(**settings), tags, built=nobody).tag == chosen
    assert pick(watch(**settings), reversed(tags), built=nobody).tag == chosen


def test_the_newest_build_is_told_by_its_date() -> None:
    dates = {"abc1234": datetime(2025, 1, 2, tzinfo=UTC), "fff0000": datetime(2025, 1, 3, tzinfo=UTC), "0000000": None}
    picked = pick(watch(pick="newest", pattern="[0-9a-f]{7}"), [*dates, "latest"], built=dates.__getitem__)
    assert (picked.tag, picked.passed_over) == ("fff0000", ("0000000",))


@pytest.mark.parametrize(
    ("settings", "tags", "told"),
    [
        ({}, ["latest"], "no tag"),
        ({}, [], "no tag"),
        ({"pick": "pattern", "pattern": ".*"}, ["abc123f", "latest"], "cannot be put in order"),
        ({"pick": "pattern", "pattern": "[a-z]+-\\d+"}, ["main-9", "dev-10"], "which of"),
        ({"pick": "newest", "pattern": ".*"}, [f"b{number}" for number in range(101)], "101 tags"),
        ({"pick": "newest", "pattern": ".*"}, ["a"], "says when it was built"),
    ],
)
def test_where_nobody_can_tell_nothing_is_chosen(settings: dict[str, Any], tags: list[str], told: str) -> None:
    picked = pick(watch(**settings), tags, built=lambda _tag: None)
    assert picked.tag is None
    assert told in picked.problem


@pytest.mark.parametrize(
    "settings",
    [
        {"pick": "digest"},
        {"tag": "edge"},
        {"pick": "newest"},
        {"pick": "pattern"},
        {"pick": "pattern", "pattern": ".*", "range": "1.x"},
        {"pattern": "(a"},
        {"range": "newest"},
        {"image": "ghcr.io/acme/app:1"},
        {"image": "not an image"},
        {"pick": "digest", "tag": "-x"},
        {"every": "0"},
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        watch(**settings)
