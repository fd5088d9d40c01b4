"""Every row of the tables in docs/gates.md: what a situation must be answered, decided here and not by the gates."""

import pytest

from scripts.gate_stories import STORIES, told

PASSES = {
    "approval": {"a lead approved"},
    "checks": {"green"},
    "depends": {"it runs"},
    "dora": {"within the limits", "too few changes to judge"},
    "freeze": {"before it"},
    "health": {"healthy, as git declares"},
    "hold": {"nobody holds it"},
    "http": {"three good answers"},
    "image": {"it is there, as tested"},
    "metric": {"within the limit"},
    "order": {"newer"},
    "policy": {"true"},
    "soak": {"long enough"},
    "upstream": {"it runs healthily"},
    "webhook": {"yes"},
    "window": {"inside"},
}
UNKNOWN_WORDS = ("absent", "slow", "cannot be", "nobody can", "nothing is known", "without end", "is not understood", "is no calendar")


@pytest.mark.parametrize("kind", sorted(STORIES))
def test_only_the_good_situations_pass(kind: str) -> None:
    assert {situation for situation, verdict in told(kind) if verdict.lets_pass} == PASSES[kind]


@pytest.mark.parametrize("kind", sorted(STORIES))
def test_what_nobody_can_know_is_unknown_and_never_passed(kind: str) -> None:
    for situation, verdict in told(kind):
        if any(word in situation for word in UNKNOWN_WORDS):
            assert verdict.outcome == "unknown", (situation, verdict)


@pytest.mark.parametrize("kind", sorted(STORIES))
def test_every_answer_is_one_sentence_that_says_who_can_change_it(kind: str) -> None:
    for situation, verdict in told(kind):
        assert verdict.sentence.endswith("."), situation
        assert verdict.lets_pass or verdict.changer, situation
        assert len(verdict.sentence) < 600, situation


@pytest.mark.parametrize(
    ("kind", "situation", "outcome"),
    [
        ("approval", "by somebody who pushed to the branch", "pending"),
        ("approval", "by a stranger", "pending"),
        ("checks", "two sources contradict each other", "failed"),
        ("http", "a body that is not the expected one", "failed"),
        ("http", "the last answer is old", "unknown"),
        ("http", "its address is forbidden", "unknown"),
        ("image", "the tag was pushed again", "failed"),
        ("image", "the registry's digest is not that of the bytes", "unknown"),
        ("image", "the registry names no content", "unknown"),
        ("image", "it was built in the future", "unknown"),
        ("metric", "two series, one of them above", "failed"),
        ("metric", "a hole in the samples", "unknown"),
        ("metric", "infinite", "failed"),
        ("metric", "it answers nonsense", "unknown"),
        ("metric", "not a number", "unknown"),
        ("policy", "OPA allows and denies", "failed"),
        ("policy", "OPA has no such rule", "unknown"),
        ("policy", "it would run for ever", "unknown"),
        ("webhook", "both at once", "unknown"),
        ("webhook", "something else", "unknown"),
    ],
)
def test_the_contradictory_and_the_hostile(kind: str, situation: str, outcome: str) -> None:
    assert dict(told(kind))[situation].outcome == outcome
