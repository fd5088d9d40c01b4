"""People's orders that planning itself honours: start, rollback, rebase, cancel, disable. Holds, freezes, vetoes and overrides are
honoured by bans and gates.

Decides which stored order still means something for what stands there now; an order that has been carried out means nothing any more.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.directive import Directive, Order
from bot.domain.facts import Facts, Quarantine
from bot.domain.image import Version
from bot.domain.promotion import Move, Promotion, PromotionState
from bot.domain.release import Release, same_release
from bot.domain.verdict import Outcome, Verdict
from bot.messages import orders as words

FAST_LANE = frozenset({"upstream", "soak", "health"})
"""Gates that a person's rollback does not wait for: they speak of versions on their way forward."""


def about(facts: Facts, promotion: Promotion, order: Order) -> Directive | None:
    """The newest order of this kind in force on the promotion's own pull request."""
    found = [
        one
        for one in facts.directives
        if one.order is order and one.stage == promotion.stage and one.number == promotion.number and one.active(facts.now)
    ]
    return max(found, key=lambda one: (one.at, one.key), default=None) if promotion.number is not None else None


def closing(facts: Facts, promotion: Promotion) -> Directive | None:
    """Somebody ordered to close it."""
    return about(facts, promotion, Order.CLOSE)


def disabled(facts: Facts, promotion: Promotion) -> bool:
    """Somebody ordered the bot to keep its hands off."""
    return about(facts, promotion, Order.DISABLE) is not None


def rebasing(facts: Facts, promotion: Promotion) -> bool:
    """Somebody ordered to make exactly this head again, and there is a newer commit to make it on."""
    order = about(facts, promotion, Order.REBASE)
    head = facts.stages[facts.stage].head
    return order is not None and order.head == promotion.head and head is not None and head != promotion.base


def starting(facts: Facts, service: str, release: Release) -> Directive | None:
    """The newest order to open the promotion of exactly this release, without waiting for its soak."""
    found = [
        one
        for one in facts.directives
        if one.order is Order.START
        and one.stage == facts.stage
        and one.service == service
        and one.active(facts.now)
        and one.version in names(release)
    ]
    return max(found, key=lambda one: (one.at, one.key), default=None)


def starter(facts: Facts, moves: Sequence[Move]) -> str:
    """The login of whoever ordered any of these moves; empty where the bot began by itself."""
    found = [order for move in moves if (order := starting(facts, move.service, move.new)) is not None]
    found += [order for move in moves if (order := rollback(facts, move.service)) is not None]
    return max(found, key=lambda one: (one.at, one.key)).actor.login if found else ""


def rollback(facts: Facts, service: str) -> Directive | None:
    """The newest order to take back what stands here now. An order that was carried out, or came before the last promotion, is over."""
    view = facts.stages[facts.stage].services.get(service)
    if view is None or view.release is None:
        return None
    present = view.release
    arrived = [
        one.merged_at
        for one in facts.promotions
        if one.merged_at is not None and any(move.service == service and same_release(move.new, present) for move in one.moves)
    ]
    found = [
        one
        for one in facts.directives
        if one.order is Order.REVERT
        and (one.stage, one.service) == (facts.stage, service)
        and one.active(facts.now)
        and one.details.get("from") == present.text
        and all(at < one.at for at in arrived)
    ]
    return max(found, key=lambda one: (one.at, one.key), default=None)


def taken_back(facts: Facts, promotion: Promotion) -> Directive | None:
    """The order to take back this promotion, which brought what stands here now; None where an older version was named."""
    if promotion.state not in (PromotionState.MERGED, PromotionState.HEALTHY):
        return None
    for move in promotion.moves:
        view = facts.stages[facts.stage].services.get(move.service)
        order = rollback(facts, move.service)
        stands = view is not None and view.release is not None and same_release(view.release, move.new)
        if order is not None and not order.version and stands:
            return order
    return None


def ordered_back(facts: Facts, promotion: Promotion) -> bool:
    """The failed promotion is one that a person ordered to be taken back: that is done whatever the stage does with failures."""
    return any((order := rollback(facts, move.service)) is not None and not order.version for move in promotion.moves)


def older(present: Release, order: Directive) -> Release:
    """What the order wants: the components that share the service's version go to the named one, the others stay."""
    wanted = Version.parse(order.version)
    return Release(versions=tuple((name, wanted if version == present.main else version) for name, version in present.versions))


def banned_by(facts: Facts, service: str, order: Directive) -> Quarantine | None:
    """The ban that keeps what is taken back from returning by itself; None where it stands already."""
    view = facts.stages[facts.stage].services[service]
    if view.release is None:
        return None
    for known in facts.quarantines:
        if (known.stage, known.service) == (facts.stage, service) and same_release(known.release, view.release) and known.at >= order.at:
            return None
    return Quarantine(stage=facts.stage, service=service, release=view.release, at=facts.now, reason=words.rolled_back(order), promotion="")


def fast_lane(facts: Facts, promotion: Promotion) -> Directive | None:
    """The order behind a promotion that goes back to an older version by a person's word, in all of its moves."""
    orders = [rollback(facts, move.service) for move in promotion.moves]
    fits = all(order is not None and order.version in names(move.new) for order, move in zip(orders, promotion.moves, strict=True))
    return orders[0] if fits and orders else None


def skipped(verdict: Verdict, order: Directive) -> Verdict:
    """The verdict of a gate that the fast lane does not wait for."""
    if verdict.lets_pass or verdict.gate not in FAST_LANE:
        return verdict
    return replace(
        verdict,
        outcome=Outcome.PASSED,
        sentence=words.not_asked(order, verdict.sentence),
        changer="",
        look_again=None,
        overridden_by=order.actor.login,
    )


def names(release: Release) -> tuple[str, ...]:
    """How people may write a release's version."""
    main = release.main
    return tuple(text for text in (main.text, str(main), main.tag or "") if text)
