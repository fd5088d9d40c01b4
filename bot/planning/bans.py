"""What keeps a release out of a stage before any gate is asked: quarantine, vetoes, pins, holds, and a person who closed it."""

from bot.config.schema import Config
from bot.domain.action import SaveQuarantine
from bot.domain.directive import Directive, Order
from bot.domain.facts import Facts, Quarantine
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.release import Release, same_release
from bot.messages import standings as say
from bot.planning.standing import Standing


def banned(config: Config, facts: Facts, service: str, release: Release) -> tuple[Standing, str] | None:
    """The first ban that stands against this release entering the stage, with its sentence; None when there is none."""
    quarantine = quarantined(config, facts, service, release)
    if quarantine is not None:
        return Standing.QUARANTINED, say.quarantined(service, facts.stage, quarantine)
    for order in active(facts, Order.VETO, service):
        if order.version in (str(release.main), release.main.tag) and _covers(config, order.stage, facts.stage):
            return Standing.VETOED, say.vetoed(service, release, order)
    for order in active(facts, Order.PIN, service):
        if order.stage == facts.stage and order.version not in (str(release.main), release.main.tag):
            return Standing.PINNED, say.pinned(service, facts.stage, order)
    for order in active(facts, Order.HOLD, service):
        if order.number is None and order.stage in ("", facts.stage):
            return Standing.HELD, say.held(service, facts.stage, order)
    stopped = next((hold for hold in facts.stage_holds if hold.stage == facts.stage and hold.lifted_at is None), None)
    if stopped is not None:
        return Standing.HELD, say.stage_held(facts.stage, stopped)
    login = closed_by(facts, service, release)
    if login:
        return Standing.CLOSED, say.closed(service, facts.stage, release, login)
    return None


def of_failed(promotion: Promotion) -> list[SaveQuarantine]:
    """The quarantines of a promotion that failed and was found again without the database that held them; none for any other."""
    if promotion.state not in (PromotionState.FAILED, PromotionState.REVERTING, PromotionState.REVERTED) or promotion.failed_at is None:
        return []
    return [
        SaveQuarantine(
            quarantine=Quarantine(
                stage=promotion.stage,
                service=move.service,
                release=move.new,
                at=promotion.failed_at,
                reason=promotion.reason,
                promotion=promotion.id,
            )
        )
        for move in promotion.moves
    ]


def quarantined(config: Config, facts: Facts, service: str, release: Release) -> Quarantine | None:
    """The quarantine of exactly this release in this stage or one before it, unless it was lifted or a retry was ordered since."""
    for quarantine in facts.quarantines:
        if quarantine.service != service or quarantine.lifted_at is not None or not same_release(quarantine.release, release):
            continue
        if not _covers(config, quarantine.stage, facts.stage):
            continue
        retried = any(
            order.order is Order.RETRY
            and order.at > quarantine.at
            and order.service in ("", service)
            and order.stage in ("", quarantine.stage)
            for order in facts.directives
        )
        if not retried:
            return quarantine
    return None


def closed_by(facts: Facts, service: str, release: Release) -> str:
    """The login of the person who closed a promotion of exactly this release; empty where nobody did or it was asked for anew."""
    for promotion in facts.promotions:
        if promotion.state is not PromotionState.CLOSED or not promotion.closed_by:
            continue
        if any(move.service == service and same_release(move.new, release) for move in promotion.moves):
            ended = promotion.ended_at or promotion.opened_at
            asked = (Order.START, Order.RETRY)
            again = any(order.order in asked and order.service in ("", service) and order.at > ended for order in facts.directives)
            return "" if again else promotion.closed_by
    return ""


def active(facts: Facts, order: Order, service: str) -> list[Directive]:
    """The orders of one kind that are in force now and speak of this service or of all."""
    return [found for found in facts.directives if found.order is order and found.active(facts.now) and found.service in ("", "*", service)]


def _covers(config: Config, banned_in: str, stage: str) -> bool:
    """A ban in a stage holds for that stage and every stage after it; a ban without a stage holds everywhere."""
    if banned_in in ("", "*", stage):
        return True
    return banned_in in ancestors(config, stage)


def ancestors(config: Config, stage: str) -> set[str]:
    """All stages before `stage` in the pipeline."""
    found: set[str] = set()
    todo = list(config.upstreams(stage))
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(config.upstreams(name))
    return found
