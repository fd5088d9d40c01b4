"""Whatever stands in the file, and whatever the outside answers: every mistake has a place, nothing breaks, nothing unknown passes."""

import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.load import check
from bot.config.tree import read_tree
from bot.domain.directive import Order
from bot.domain.facts import Answer
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Outcome
from bot.gates import evaluate_all, evaluate_revert, questions_of, with_always
from tests.support.builders import BASE, HEAD, NOW
from tests.support.cases import approval, case, gate, order, upstream
from tests.support.cases import check as ci

EXAMPLE = (Path(__file__).parents[2] / "config.example.yaml").read_text()
VALUE = read_tree(EXAMPLE)[0].plain()
SECRET = "ghp_" + "q7" * 18

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just(SECRET), st.sampled_from(["../x", "0", "1h", "a@b"])
)
anything = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)), max_leaves=6
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for step, inner in steps for place in _places(inner, (*path, step)))]


PLACES = _places(VALUE)


def test_the_example_survives_being_dumped() -> None:
    assert check(yaml.safe_dump(VALUE)).problems == ()


@settings(max_examples=120)
@given(place=st.sampled_from(PLACES), new=anything, drop=st.booleans())
def test_every_mistake_has_a_place_and_no_secret_is_repeated(place: tuple[Any, ...], new: Any, drop: bool) -> None:
    value = copy.deepcopy(VALUE)
    if place:
        inside = value
        for step in place[:-1]:
            inside = inside[step]
        if drop:
            del inside[place[-1]]
        else:
            inside[place[-1]] = new
    else:
        value = new
    text = yaml.safe_dump(value, allow_unicode=True)
    checked = check(text)
    lines = text.count("\n") + 1
    assert (checked.config is None) is bool(checked.errors)
    for problem in checked.problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert SECRET not in str(problem)


@settings(max_examples=150)
@given(st.text(max_size=200) | st.binary(max_size=200) | st.text(alphabet="{}[]&*<>:-,!|'\"# \nab", max_size=80))
def test_no_text_breaks_the_reader(text: str | bytes) -> None:
    checked = check(text)
    assert checked.config is None
    assert checked.errors


OUTSIDE = [
    gate("http", url="https://a.example", times=2, body="ok"),
    gate("metric", query="up", max=1, **{"for": "5m"}),
    gate("metric", name="base", query="up", baseline={"query": "up offset 1d", "max_ratio": 1.1}),
    gate("image", platforms=["linux/amd64"], max_age="9d", labels={"a": "b"}, signature={"key": "k"}),
    gate("dora"),
    gate("policy", rule="a/b"),
    gate("webhook", url="https://a.example"),
    gate("checks", from_rules=True),
    gate("approval", codeowners=True),
    gate("freeze", calendar={"url": "https://a.example"}),
]
keys = st.sampled_from(
    ["exists", "digest", "at", "status", "error", "samples", "labels", "state", "allow", "deny", "reason", "platforms", "x"]
)
answers = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)), max_leaves=8
)


@settings(max_examples=150)
@given(made=st.sampled_from(OUTSIDE), value=answers)
def test_no_answer_breaks_the_judgement(made: Any, value: object) -> None:
    about = case()
    given_all = replace(about, answers=dict.fromkeys(questions_of([made], about), Answer(at=NOW, value=value)))
    (verdict,) = evaluate_all([made], given_all)
    assert verdict.sentence
    assert verdict.lets_pass or verdict.changer
    assert verdict.look_again is None or verdict.look_again > NOW
    assert SECRET not in verdict.sentence


@pytest.mark.parametrize("made", OUTSIDE, ids=lambda made: made.label)
@pytest.mark.parametrize("value", [None, [], {}, "", 0, False])
def test_an_empty_answer_never_passes(made: Any, value: object) -> None:
    about = case(approvals=(approval(),))
    (verdict,) = evaluate_all([made], replace(about, answers=dict.fromkeys(questions_of([made], about), Answer(at=NOW, value=value))))
    if made.gate == "checks" and value == []:
        assert verdict.sentence == "No check is required."
    else:
        assert not verdict.lets_pass, verdict


states = st.sampled_from(list(RolloutState))
upstreams = st.lists(
    st.builds(
        upstream, st.sampled_from(["a", "b"]), since=st.none() | st.just(NOW - timedelta(hours=2)), state=states, declares=st.booleans()
    ),
    max_size=3,
    unique_by=lambda found: found.stage,
)


@settings(max_examples=200)
@given(seen=upstreams, every=st.booleans())
def test_what_is_not_healthy_upstream_never_passes(seen: Any, every: bool) -> None:
    gates = with_always([gate("soak", **{"for": "1h"})], after=("a", "b"))
    about = case(upstreams=tuple(seen), needs_all=every)
    passed = all(verdict.lets_pass for verdict in evaluate_all(gates, about))
    good = [found.stage for found in seen if found.declares and found.state is RolloutState.HEALTHY]
    assert not passed or (len(good) == len(seen) if every else bool(good))
    assert not passed or seen


heads = st.sampled_from([HEAD, BASE, "c" * 40, ""])


@settings(max_examples=200)
@given(head=heads, base=heads, bound=st.tuples(heads, heads), hard=st.booleans(), label=st.sampled_from(["soak", "hold", "upstream", ""]))
def test_an_override_counts_for_exactly_its_head_and_base(head: str, base: str, bound: tuple[str, str], hard: bool, label: str) -> None:
    skip = order(Order.OVERRIDE, gate=label, head=bound[0], base=bound[1])
    about = case(head=head, base=base, upstreams=(upstream(since=NOW),), directives=(skip,))
    (verdict,) = evaluate_all([gate("soak", hard=hard, **{"for": "1h"})], about)
    counts = bool(head) and bound == (head, base) and label == "soak" and not hard
    assert (verdict.outcome is Outcome.PASSED) is counts
    assert (verdict.overridden_by == "ana") is counts


@settings(max_examples=100)
@given(days=st.integers(0, 400), minutes=st.integers(0, 1439), stage=st.sampled_from(["prod", "qa", "", "*"]))
def test_nothing_passes_inside_a_freeze_but_a_revert_that_it_allows(days: int, minutes: int, stage: str) -> None:
    now = NOW + timedelta(days=days, minutes=minutes)
    gates = with_always([gate("freeze", zone="Europe/Berlin", reverts=bool(minutes % 2), during=[{"cron": "0 8 * * *", "for": "10h"}])])
    ordered = order(Order.FREEZE, stage=stage, at=NOW, until=NOW + timedelta(days=30))
    about = case(now=now, directives=(ordered,), checks=(ci(),))
    wall = (now.hour + (1 if now.month in (11, 12, 1, 2) else 0)) % 24
    by_person = stage != "qa" and days < 30
    by_calendar = 8 <= wall < 18 and now.month in (11, 12, 1, 2)
    freeze = next(verdict for verdict in evaluate_all(gates, about) if verdict.gate == "freeze")
    if by_person or by_calendar:
        assert not freeze.lets_pass
    (revert,) = evaluate_revert(gates, about)
    assert revert.lets_pass or (not minutes % 2 and not freeze.lets_pass)
