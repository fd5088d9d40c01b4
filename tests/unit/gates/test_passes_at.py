"""What a gate says of the time at which it passes by itself: a second before it does not, and then it does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.directive import Directive, Order
from bot.domain.facts import Case
from bot.domain.verdict import Verdict
from bot.gates import Gate, evaluate_all
from bot.gates.freeze import Freeze
from bot.gates.hold import Hold
from bot.gates.soak import Soak
from bot.gates.window import Window
from tests.support.builders import ANA
from tests.support.cases import NOW, case, upstream

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def order(kind: Order, **more: Any) -> Directive:
    return Directive(**{"key": f"k{kind}{more}", "order": kind, "actor": ANA, "at": NOW - HOUR, "stage": "prod", **more})


def asked(gate: Gate, at: Case) -> Verdict:
    return next(verdict for verdict in evaluate_all([gate], at) if verdict.gate == gate.label)


TIMED: dict[str, tuple[Callable[[], Gate], Case]] = {
    "soak": (lambda: Soak.model_validate({"for": "4h"}), case()),
    "soak, all of two": (
        lambda: Soak.model_validate({"for": "4h"}),
        case(needs_all=True, upstreams=(upstream(), upstream("eu", since=NOW - HOUR))),
    ),
    "window": (lambda: Window.model_validate({"zone": "Europe/Berlin", "open": [{"cron": "0 9 * * 1", "for": "8h"}]}), case()),
    "freeze": (
        lambda: Freeze.model_validate({"during": [{"from": "2026-01-01T00:00Z", "until": (NOW + 2 * HOUR).isoformat()}]}),
        case(),
    ),
    "freezes by order": (
        Freeze,
        case(directives=(order(Order.FREEZE, until=NOW + HOUR), order(Order.FREEZE, until=NOW + 3 * HOUR))),
    ),
    "hold": (Hold, case(directives=(order(Order.HOLD, until=NOW + HOUR),))),
}


@pytest.mark.parametrize("name", TIMED)
def test_time_alone_brings_it_then_and_not_before(name: str) -> None:
    make, at = TIMED[name]
    gate = make()
    verdict = asked(gate, at)
    assert verdict.passes_at is not None
    assert not verdict.lets_pass
    assert not asked(gate, replace(at, now=verdict.passes_at - SECOND)).lets_pass
    assert asked(gate, replace(at, now=verdict.passes_at)).lets_pass


ENDLESS: dict[str, tuple[Callable[[], Gate], Case]] = {
    "a hold that somebody must lift": (Hold, case(directives=(order(Order.HOLD), order(Order.HOLD, until=NOW + HOUR)))),
    "a soak that does not run": (lambda: Soak.model_validate({"for": "4h"}), case(upstreams=(upstream(since=None),))),
    "a freeze by order before one of the calendar": (
        lambda: Freeze.model_validate({"during": [{"from": NOW.isoformat(), "until": (NOW + 9 * HOUR).isoformat()}]}),
        case(directives=(order(Order.FREEZE, until=NOW + HOUR),)),
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_where_nobody_can_say_nothing_is_said(name: str) -> None:
    make, at = ENDLESS[name]
    verdict = asked(make(), at)
    assert (verdict.lets_pass, verdict.passes_at) == (False, None)
