"""Waves over clusters: which stage comes after which, and what is said where they do not fit."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.load import check
from bot.config.schema import Config
from bot.config.waves import cut

CLUSTERS = [f"prod-{number}" for number in range(1, 13)]


def settings(**waves: Any) -> dict[str, Any]:
    stages: dict[str, Any] = {"uat": {"repository": "acme/env-uat"}}
    stages |= {name: {"repository": "acme/env-prod", "folder": name, "after": "uat", "needs": "any"} for name in CLUSTERS}
    return {"version": 1, "pipeline": {"stages": stages, "waves": {"prod": {"stages": ["prod-*"], **waves}}}}


def test_ten_percent_go_first_and_the_rest_after_all_of_them() -> None:
    config = Config.model_validate(settings())
    assert [config.stage(name).after for name in CLUSTERS[:2]] == [("uat",), ("uat",)]
    for name in CLUSTERS[2:]:
        stage = config.stage(name)
        assert (stage.after, stage.needs) == (("prod-1", "prod-2"), "all")
        assert stage.gates[0].model_dump()["stages"] == ("prod-1", "prod-2")
    assert config.order()[:3] == ("uat", "prod-1", "prod-2")


def test_a_wave_may_be_a_number_and_what_is_left_over_goes_last() -> None:
    config = Config.model_validate(settings(sizes=[1, "25%"]))
    assert config.stage("prod-1").after == ("uat",)
    assert config.stage("prod-4").after == ("prod-1",)
    assert config.stage("prod-5").after == ("prod-2", "prod-3", "prod-4")


@given(
    st.integers(0, 40), st.lists(st.one_of(st.integers(1, 100).map(lambda part: f"{part}%"), st.integers(1, 50).map(str), st.just("rest")))
)
def test_every_stage_stands_in_exactly_one_wave_and_none_is_empty(many: int, sizes: list[str]) -> None:
    members = [str(number) for number in range(many)]
    waves = cut(members, sizes)
    assert [member for wave in waves for member in wave] == members
    assert all(waves)


def broken(change: dict[str, Any], waves: dict[str, Any]) -> str:
    given = settings()
    given["pipeline"]["stages"] |= change
    given["pipeline"]["waves"] = waves
    return " ".join(f"{problem.what} {problem.fix}" for problem in check(json.dumps(given)).errors)


@pytest.mark.parametrize(
    ("change", "waves", "words"),
    [
        ({}, {"prod": {"stages": ["prod-*", "mars"]}}, "'mars'"),
        ({}, {"a": {"stages": ["prod-*"]}, "b": {"stages": ["prod-1"]}}, "Keep it in one"),
        ({"prod-3": {"repository": "acme/env-prod", "folder": "3"}}, {"prod": {"stages": ["prod-*"]}}, "different `after`"),
        ({}, {"prod": {"stages": ["prod-1"], "sizes": ["0%"]}}, "no size of a wave"),
        ({}, {"prod": {"stages": []}}, "stages"),
        ({}, {"prod": 7}, ""),
        ({"prod-1": 7}, {"prod": {"stages": ["prod-*"]}}, "repository"),
        ({}, {"prod": {"stages": ["uat", "prod-*"]}}, "different `after`"),
    ],
)
def test_waves_that_do_not_fit_are_refused_with_a_word(change: dict[str, Any], waves: dict[str, Any], words: str) -> None:
    said = broken(change, waves)
    assert said
    assert words in said
