"""The soak clock: what restarts it and what does not, as tables of (seconds, state) that a stage was seen in."""

from datetime import datetime, timedelta

import pytest

from bot.config.stage import Rollout
from bot.domain.action import Notify
from bot.domain.facts import Health
from bot.domain.rollout import RolloutState
from bot.planning.plan import plan
from bot.planning.steadiness import steadied
from tests.support.builders import LONG_AGO, NOW, config, facts, health, release, stage

ROLLOUT = Rollout.model_validate({"timeout": "10m", "grace": "15s"})
H, P, D, U, S = (RolloutState[name] for name in ("HEALTHY", "PROGRESSING", "DEGRADED", "UNKNOWN", "SUSPENDED"))


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def seen(*story: tuple[float, RolloutState], versions: dict[float, str] | None = None) -> Health:
    """The health after the story, each look recorded as the bot records it."""
    last: Health | None = None
    for seconds, state in story:
        version = release((versions or {}).get(seconds, "1.0.0"))
        same = last is not None and (last.state, last.release) == (state, version)
        since = last.since if same and last is not None else at(seconds)
        found = Health(service="payments", state=state, release=version, since=since, taken=True)
        last = steadied(found, last, rollout=ROLLOUT, now=at(seconds))
    assert last is not None
    return last


@pytest.mark.parametrize(
    ("story", "since"),
    [
        pytest.param([(0, P), (10, H)], 10, id="begins with health"),
        pytest.param([(0, H), (900, H)], 0, id="nothing happened"),
        pytest.param([(0, H), (900, P), (930, H)], 0, id="an autoscaler added a pod"),
        pytest.param([(0, H), (900, P), (1400, P), (1501, H)], 1501, id="it progressed for longer than a rollout may take"),
        pytest.param([(0, H), (900, D), (914, H)], 0, id="degraded within the grace"),
        pytest.param([(0, H), (900, D), (915, H)], 915, id="degraded for longer"),
        pytest.param([(0, H), (900, D), (910, P), (912, D), (914, P), (920, H)], 0, id="flaps within the time of a rollout"),
        pytest.param([(0, H), (900, D), (910, P), (916, D), (920, H)], 920, id="flaps on, and is degraded after the grace"),
        pytest.param([(0, H), (900, U), (90_000, H)], 0, id="nobody could see it, and it is well again"),
        pytest.param([(0, H), (900, U), (950, D), (951, H)], 951, id="nobody could see it, and then it was degraded"),
        pytest.param([(0, H), (900, S), (960, H)], 0, id="held for a moment"),
        pytest.param([(0, H), (900, S), (1600, H)], 1600, id="held for long"),
    ],
)
def test_since_when_it_is_steady(story: list[tuple[float, RolloutState]], since: float) -> None:
    found = seen(*story)
    assert (found.steady_since, found.left_at) == (at(since), None)


def test_while_it_is_interrupted_the_clock_is_kept_until_that_lasts_too_long() -> None:
    assert (seen((0, H), (900, P)).steady_since, seen((0, H), (900, P)).left_at) == (at(0), at(900))
    assert seen((0, H), (900, P), (1500, P)).steady_since is None
    assert seen((0, H), (900, D), (915, D)).steady_since is None
    assert seen((0, P), (10, D)).left_at is None


def test_another_release_begins_anew() -> None:
    found = seen((0, H), (900, P), (930, H), versions={900: "1.1.0", 930: "1.1.0"})
    assert found.steady_since == at(930)


def test_what_an_older_program_recorded_counts_from_its_own_word() -> None:
    old = Health(service="payments", state=H, release=release("1.0.0"), since=at(0), taken=True)
    now = Health(service="payments", state=H, release=release("1.0.0"), since=at(0), taken=True)
    assert steadied(now, old, rollout=ROLLOUT, now=at(60)).steady_since == at(0)


def test_what_is_not_taken_is_not_steady() -> None:
    behind = Health(service="payments", state=H, release=release("1.0.0"), since=at(0), taken=False)
    assert steadied(behind, None, rollout=ROLLOUT, now=at(60)).steady_since is None


def test_a_cluster_that_cannot_be_seen_for_long_is_told_once() -> None:
    def told(minutes: float, **cluster: object) -> list[Notify]:
        blind = {"payments": health(state=U, since=LONG_AGO)}
        view = stage("qa", health=blind, cluster_problem="connection refused.")
        about = facts(stage("dev"), view, now=LONG_AGO + timedelta(minutes=minutes))
        found = plan(config(qa=cluster), about)
        return [action for action in found.actions if isinstance(action, Notify)]

    assert told(9.9, cluster={"in_cluster": True}) == []
    assert told(60) == []
    [first] = told(11, cluster={"in_cluster": True})
    [later] = told(24 * 60, cluster={"in_cluster": True})
    assert first.key == later.key
    assert "connection refused" in first.text
