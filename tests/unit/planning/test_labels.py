"""The labels that tell of people's orders: held, switched off, gone back, overridden; each for its own pull request and its own time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.directive import Directive, Order
from bot.domain.promotion import Promotion, PromotionState
from bot.planning.labels import ordered
from tests.support.builders import ANA, HEAD, NOW, facts, promotion, stage

HOUR = timedelta(hours=1)
MERGED = promotion(state=PromotionState.MERGED, merged_at=NOW - timedelta(minutes=10))


def order(kind: Order, **more: Any) -> Directive:
    return Directive(**{"key": f"k{kind}", "order": kind, "actor": ANA, "at": NOW - HOUR, "stage": "qa", "number": 7, **more})


def told(one: Promotion, *orders: Directive) -> tuple[str, ...]:
    return ordered(facts(stage("dev"), stage("qa"), promotions=(one,), directives=orders), one)


@pytest.mark.parametrize(("kind", "label"), [(Order.HOLD, "promotion:hold"), (Order.DISABLE, "promotion:disabled")])
def test_an_order_about_this_pull_request_shows_while_it_stands(kind: Order, label: str) -> None:
    assert told(promotion(), order(kind), order(kind, key="by another")) == (label,)
    assert told(promotion(), order(kind, withdrawn_at=NOW)) == ()
    assert told(promotion(), order(kind, until=NOW)) == ()
    assert told(promotion(), order(kind, number=8)) == ()
    assert told(promotion(), order(kind, stage="prod")) == ()
    assert told(promotion(), order(kind, number=None)) == ()


def test_what_was_let_through_stays_marked_after_the_merge() -> None:
    mine = order(Order.OVERRIDE, gate="soak", head=HEAD)
    assert told(replace(MERGED, head=HEAD), mine) == ("promotion:override",)
    assert told(replace(MERGED, head=HEAD), replace(mine, until=NOW - timedelta(minutes=5))) == ("promotion:override",)
    assert told(replace(MERGED, head=HEAD), replace(mine, until=NOW - timedelta(minutes=15))) == ()
    assert told(replace(MERGED, head=HEAD), replace(mine, withdrawn_at=NOW - HOUR)) == ()
    assert told(replace(MERGED, head="f" * 40), mine) == ()


def test_going_back_is_marked_where_it_is_exactly_what_was_ordered() -> None:
    [move] = promotion().moves
    ordered_back = order(Order.REVERT, number=None, service="payments", version=str(move.new.main), details={"from": move.old.text})
    for one in (promotion(), MERGED):
        assert told(one, ordered_back) == ("promotion:rollback",)
        assert told(one, replace(ordered_back, details={"from": "0=9.9.9"})) == ()
        assert told(one, replace(ordered_back, version="")) == ()
        assert told(one, replace(ordered_back, service="search")) == ()
