"""History on both databases: what is saved is read back, a stale write is refused, each change of state is in the audit log."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.store.audit import entries, verify
from bot.adapters.store.database import Database
from bot.adapters.store.history import StoredHistory
from bot.domain.action import SaveDeployment
from bot.domain.directive import Directive, Order
from bot.domain.errors import Stale
from bot.domain.facts import Quarantine, StageHold
from bot.domain.promotion import PromotionState
from bot.domain.pull import Check, CheckState, LabelEvent
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Outcome, Verdict
from bot.ports.store import STATE
from tests.support.builders import ANA, BOT, NOW, health, promotion, pull, release


@pytest.fixture
def history(database: Database) -> StoredHistory:
    return StoredHistory(database)


def test_a_promotion_is_read_back_as_it_was(history: StoredHistory) -> None:
    saved = history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)
    assert saved == promotion(version=1)
    assert list(history.promotions("qa")) == [saved]
    assert list(history.promotions("prod")) == []


def test_a_write_at_an_old_row_version_is_refused_and_changes_nothing(history: StoredHistory) -> None:
    first = history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)
    second = history.save_promotion(replace(first, reason="x"), why="x", actor="promotion-bot", now=NOW)
    with pytest.raises(Stale):
        history.save_promotion(replace(first, reason="y"), why="y", actor="promotion-bot", now=NOW)
    assert list(history.promotions("qa")) == [second]


def test_inserting_a_promotion_in_flight_twice_is_refused(history: StoredHistory) -> None:
    history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)
    with pytest.raises(Stale):
        history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)


def test_an_ended_promotion_may_begin_again_under_its_id(history: StoredHistory) -> None:
    first = history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)
    history.save_promotion(replace(first, state=PromotionState.CLOSED, ended_at=NOW), why="closed", actor="ana", now=NOW)
    again = history.save_promotion(promotion(state=PromotionState.OPENING), why="again", actor="promotion-bot", now=NOW)
    assert again.version == 3
    assert [found.state for found in history.promotions("qa")] == [PromotionState.OPENING]


def test_several_are_saved_all_or_none(history: StoredHistory) -> None:
    first = history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)
    other = promotion(service="search", number=8)
    with pytest.raises(Stale):
        history.save_promotions([other, replace(first, version=9)], why="x", actor="promotion-bot", now=NOW)
    assert list(history.promotions("qa")) == [first]


def test_of_ended_promotions_the_newest_per_name_are_read_with_those_in_flight(history: StoredHistory) -> None:
    for number in range(8):
        history.save_promotion(
            promotion(id=f"old{number}", number=number + 1, state=PromotionState.HEALTHY, ended_at=NOW + timedelta(hours=number)),
            why="done",
            actor="promotion-bot",
            now=NOW,
        )
    history.save_promotion(promotion(number=20), why="opened", actor="promotion-bot", now=NOW)
    history.save_promotion(promotion(id="s", service="search", number=21, state=PromotionState.STUCK), why="x", actor="b", now=NOW)
    found = {one.id for one in history.promotions("qa")}
    assert found == {promotion().id, "s", "old7", "old6", "old5", "old4", "old3"}


def test_every_change_of_state_has_an_audit_row(history: StoredHistory, database: Database) -> None:
    first = history.save_promotion(promotion(), why="healthy upstream", actor="promotion-bot", now=NOW)
    history.save_promotion(replace(first, state=PromotionState.CLOSED), why="closed by hand", actor="ana", now=NOW)
    newest, oldest = entries(database, subject="qa/payments")
    assert (oldest.actor, oldest.action, oldest.why) == ("promotion-bot", "promotion open", "healthy upstream")
    assert (newest.actor, newest.action, newest.why, newest.at) == ("ana", "promotion closed", "closed by hand", NOW)
    assert newest.details["from"] == "open"
    assert verify(database).broken_at is None


def test_health_keeps_the_present_and_each_change(history: StoredHistory) -> None:
    bad = health(state=RolloutState.DEGRADED, since=NOW, reason="crash loop")
    for value in (health(), replace(health(), reason="same state"), bad):
        history.save_health("qa", value, now=NOW)
    assert history.health("qa") == {"payments": bad}
    assert [(state, reason) for _, state, _, reason in history.health_history("qa", "payments")] == [
        ("healthy", ""),
        ("degraded", "crash loop"),
    ]


def test_verdicts_are_kept_once_each(history: StoredHistory) -> None:
    one = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="3 minutes more", look_again=NOW)
    two = replace(one, outcome=Outcome.PASSED, look_again=None)
    for verdicts in ((one,), (one,), (two,)):
        history.save_verdicts(promotion(), verdicts, now=NOW)
    assert tuple(history.verdicts(promotion().id)) == (two,)
    assert [found for _, found in history.verdict_history(promotion().id)] == [(one,), (two,)]


def order(key: str = "comment:1:0", **more: object) -> Directive:
    return Directive(**{"key": key, "order": Order.APPROVE, "actor": ANA, "at": NOW, "stage": "qa", "number": 7, **more})  # type: ignore[arg-type]


def test_a_directive_counts_once_by_its_key(history: StoredHistory, database: Database) -> None:
    history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)
    assert history.add_directive(order(teams=frozenset({"acme/sre"}), details={"a": "b"}))
    assert not history.add_directive(order(reason="another"))
    assert list(history.directives("qa")) == [order(teams=frozenset({"acme/sre"}), details={"a": "b"})]
    assert [row.action for row in entries(database)].count("order approve") == 1


def test_directives_of_a_stage_are_its_own_and_those_for_every_stage(history: StoredHistory) -> None:
    for key, stage in (("a", "qa"), ("b", ""), ("c", "prod")):
        history.add_directive(order(key, stage=stage, number=None))
    assert [found.key for found in history.directives("qa")] == ["a", "b"]


def test_a_withdrawn_directive_is_read_while_its_promotion_is_of_interest(history: StoredHistory) -> None:
    history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)
    history.add_directive(order())
    history.add_directive(order("hold", number=None, order=Order.HOLD))
    history.withdraw_directives(["comment:1:0", "hold"], now=NOW, actor="ana", why="changed my mind")
    assert list(history.directives("qa")) == [order(withdrawn_at=NOW)]


def test_quarantines_and_holds_are_lifted_by_saving_them_again(history: StoredHistory) -> None:
    ban = Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=NOW, reason="crash", promotion="p")
    hold = StageHold(stage="qa", at=NOW, reason="two reverts")
    history.save_quarantine(ban, now=NOW)
    history.save_stage_hold(hold, now=NOW)
    assert (list(history.quarantines()), list(history.stage_holds("qa"))) == ([ban], [hold])
    history.save_quarantine(replace(ban, lifted_at=NOW), now=NOW)
    history.save_stage_hold(replace(hold, lifted_at=NOW), now=NOW)
    assert [found.lifted_at for found in history.quarantines()] == [NOW]
    assert [found.lifted_at for found in history.stage_holds("qa")] == [NOW]


def test_the_newest_reading_of_a_pull_request_wins(history: StoredHistory) -> None:
    newest = pull(
        checks=(Check(name="ci", state=CheckState.SUCCESS, commit="a"),),
        labels={"x": LabelEvent(actor=BOT, at=NOW), "y": None},
        read_at=NOW,
    )
    history.save_pull(newest)
    history.save_pull(replace(newest, title="late", read_at=NOW - timedelta(seconds=1)))
    assert history.pull("acme/env-qa", 7) == replace(newest, head_since=NOW)
    assert history.pull("acme/env-qa", 8) is None


def test_a_hint_that_came_during_the_reading_stays(history: StoredHistory) -> None:
    history.want_pulls("acme/env-qa", [7, 8])
    marks = history.stale_pulls("acme/env-qa")
    history.want_pulls("acme/env-qa", [8])
    history.pulls_read("acme/env-qa", marks)
    assert set(history.stale_pulls("acme/env-qa")) == {8}


def test_a_deployment_is_recorded_once(history: StoredHistory) -> None:
    row = SaveDeployment(promotion=promotion(), service="payments", at=NOW, status="success", kind="promotion", version="1.1.0")
    history.save_deployment(row)
    history.save_deployment(replace(row, at=NOW + timedelta(minutes=1)))
    assert list(history.deployments()) == [row]
    assert list(history.deployments(since=NOW + timedelta(seconds=1))) == []


def test_a_binding_is_read_back(history: StoredHistory) -> None:
    history.save_binding("p", {"comment": "1"}, now=NOW)
    history.save_binding("p", {"comment": "1", "hash": "x"}, now=NOW)
    assert history.binding("p") == (NOW, {"comment": "1", "hash": "x"})
    assert history.binding("q") is None


@pytest.mark.parametrize(
    ("bound", "unshown"),
    [
        (None, True),
        ({STATE: "open"}, True),
        ({STATE: "healthy"}, False),
        ({"comment": "1"}, False),
    ],
)
def test_an_end_is_unshown_until_the_binding_names_it(history: StoredHistory, bound: dict[str, str] | None, unshown: bool) -> None:
    ended = promotion(state=PromotionState.HEALTHY, ended_at=NOW)
    history.save_promotion(ended, why="healthy", actor="promotion-bot", now=NOW)
    if bound is not None:
        history.save_binding(ended.id, bound, now=NOW)
    assert history.unshown("qa", since=NOW - timedelta(hours=1)) == (frozenset({ended.id}) if unshown else frozenset())
    assert history.unshown("qa", since=NOW) == frozenset()
    assert history.unshown("prod", since=NOW - timedelta(hours=1)) == frozenset()
