"""A stage follows the newest version, or every one: which version comes next, from the recorded stretches of health upstream."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.collectors.proven import stretches
from bot.domain.action import MergePromotion, OpenPromotion, UpdatePromotion
from bot.domain.facts import Facts, Proven, Quarantine
from bot.domain.image import Version
from bot.domain.release import Release
from bot.planning.plan import plan
from bot.planning.standing import Plan, Standing
from tests.support.builders import HEAD, LONG_AGO, NOW, config, facts, promotion, pull, release, stage

EVERY = {"follow": "every"}


def ran(text: str, *, hours_ago: int, hours: int = 1) -> Proven:
    since = NOW - timedelta(hours=hours_ago)
    return Proven(release=release(text), since=since, until=since + timedelta(hours=hours))


PAST = (ran("1.0.0", hours_ago=9), ran("1.1.0", hours_ago=8), ran("1.2.0", hours_ago=7))


def world(has: str = "1.0.0", *, past: tuple[Proven, ...] = PAST, **more: object) -> Facts:
    """dev runs 1.3.0 now, and ran what `past` says before."""
    return facts(stage("dev", "1.3.0"), stage("qa", has), proven={"dev": {"payments": past}}, **more)


def opened(found: Plan) -> list[str]:
    return [str(action.promotion.moves[0].new) for action in found.actions if isinstance(action, OpenPromotion)]


@pytest.mark.parametrize(
    ("follow", "has", "next_version"),
    [
        ("newest", "1.0.0", ["1.3.0"]),
        ("every", "1.0.0", ["1.1.0"]),
        ("every", "1.1.0", ["1.2.0"]),
        ("every", "1.2.0", ["1.3.0"]),
        ("every", "1.3.0", []),
        ("every", "0.9.0", ["1.0.0"]),
    ],
)
def test_what_comes_next(follow: str, has: str, next_version: list[str]) -> None:
    assert opened(plan(config(qa={"follow": follow}), world(has))) == next_version


def test_a_quarantined_version_is_passed_over() -> None:
    bad = Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=LONG_AGO, reason="crashed", promotion="x")
    assert opened(plan(config(qa=EVERY), world(quarantines=(bad,)))) == ["1.2.0"]


def test_a_version_that_never_stood_upstream_is_followed_by_order_only() -> None:
    unordered = (ran("main-abc", hours_ago=8), ran("1.2.0", hours_ago=7))
    assert opened(plan(config(qa=EVERY), world("1.1.5", past=unordered))) == ["1.2.0"]


def test_nothing_older_than_what_stands_here_enters() -> None:
    back = (ran("1.2.0", hours_ago=8), ran("1.1.0", hours_ago=7))
    assert opened(plan(config(qa=EVERY), world("1.2.0", past=back))) == ["1.3.0"]


def test_an_open_promotion_is_not_renewed_by_a_newer_version_and_merges_on_what_was_proven() -> None:
    given_facts = world(promotions=(promotion(),), pulls={7: pull()}, branches={"promote/qa/payments": HEAD})
    every, newest = plan(config(qa=EVERY), given_facts), plan(config(), given_facts)
    assert [type(action) for action in every.actions if isinstance(action, UpdatePromotion | MergePromotion)] == [MergePromotion]
    assert any(isinstance(action, UpdatePromotion) for action in newest.actions)
    upstream = next(verdict for verdict in every.reports[0].verdicts if verdict.gate == "upstream")
    assert upstream.sentence == "payments 1.1.0 ran healthily in dev until 2026-11-20 05:00 UTC."


def test_several_upstreams_must_all_have_run_it() -> None:
    settings = config(stg={"after": ()}, qa={"after": ["dev", "stg"], "follow": "every"})
    both = {"dev": {"payments": PAST}, "stg": {"payments": (ran("1.2.0", hours_ago=6),)}}
    given_facts = facts(stage("dev", "1.3.0"), stage("stg", "1.3.0"), stage("qa", "1.0.0"), proven=both)
    assert opened(plan(settings, given_facts)) == ["1.2.0"]


def test_without_a_past_the_present_is_followed() -> None:
    assert opened(plan(config(qa=EVERY), world(past=()))) == ["1.3.0"]
    found = plan(config(qa=EVERY), world("1.3.0", past=()))
    assert found.reports[0].standing is Standing.UP_TO_DATE


def test_a_stretch_of_health_ends_with_another_version_and_not_with_a_break() -> None:
    def at(hour: int) -> datetime:
        return LONG_AGO + timedelta(hours=hour)

    changes = [
        ("web", at(0), "healthy", "0=1.0.0"),
        ("api", at(0), "healthy", "0=7.0.0"),
        ("web", at(1), "progressing", "0=1.1.0"),
        ("web", at(2), "healthy", "0=1.1.0"),
        ("web", at(3), "degraded", "0=1.1.0"),
        ("web", at(4), "progressing", "0=1.2.0"),
        ("web", at(5), "healthy", "0=1.2.0"),
        ("web", at(5) + timedelta(minutes=5), "progressing", "0=1.3.0"),
        ("web", at(6), "healthy", "0=1.3.0"),
    ]
    found = stretches(changes, at_least=timedelta(minutes=30))
    assert found == {"web": (Proven(release=release("1.0.0"), since=at(0), until=at(1)),)}


@given(st.lists(st.tuples(st.sampled_from("0ab"), st.sampled_from(["1.0", "2@sha256:" + "a" * 64, ""])), min_size=1, max_size=4))
def test_a_releases_text_is_read_back(pairs: list[tuple[str, str]]) -> None:
    made = Release(versions=tuple((component, Version.parse(text)) for component, text in pairs))
    assert Release.read(made.text) == made
    assert Release.read("") is None
    assert Release.read("=1.0") is None
