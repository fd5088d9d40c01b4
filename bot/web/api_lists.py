"""More of what /api/v1 lists: services, versions, orders, freezes and incidents, of the stages that the caller may read.

Decides the fields, which are stable. Reads the database and the configuration; nothing is asked of the outside and nothing is changed.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.app import Bot
from bot.domain.directive import Directive, Order
from bot.domain.facts import Case, Health
from bot.domain.people import Person
from bot.domain.promotion import Promotion
from bot.domain.verdict import Outcome
from bot.gates.freeze import Freeze
from bot.web.api_views import listed, readable, written

EVERYWHERE = ("", "*")
Wanted = Mapping[str, str]


def services(bot: Bot, actor: Person, wanted: Wanted) -> dict[str, Any]:
    """Each service with what stands in each stage, and the promotion that is under way there."""
    found: dict[str, list[dict[str, Any]]] = {}
    for stage in _stages(bot, actor, wanted):
        flying = [one for one in bot.parts.history.promotions(stage) if one.state.in_flight]
        for service, health in sorted(bot.parts.history.health(stage).items()):
            if wanted.get("service", service) == service:
                found.setdefault(service, []).append(_standing(bot, stage, service, health, flying))
    config = bot.parts.config
    items = [
        {"service": name, "team": config.service(name).team or "", "images": list(config.service(name).images), "stages": places}
        for name, places in sorted(found.items())
    ]
    return listed("ServiceList", items)


def _standing(bot: Bot, stage: str, service: str, health: Health, flying: Iterable[Promotion]) -> dict[str, Any]:
    under_way = next((one for one in flying if service in one.services), None)
    verdicts = bot.parts.history.verdicts(under_way.id) if under_way is not None else ()
    blocking = next((verdict for verdict in verdicts if not verdict.lets_pass), None)
    coming = next((str(move.new) for move in under_way.moves if move.service == service), "") if under_way is not None else ""
    return {
        "stage": stage,
        "version": str(health.release) if health.release is not None else "",
        "state": health.state.value,
        "since": written(health.since),
        "reason": health.reason,
        "drift": health.drift,
        "promotion": None
        if under_way is None
        else {
            "number": under_way.number,
            "to": coming,
            "state": under_way.state.value,
            "held_by": "" if blocking is None else blocking.gate,
            "sentence": "" if blocking is None else blocking.sentence,
        },
    }


def versions(bot: Bot, actor: Person, wanted: Wanted) -> dict[str, Any]:
    """Each version that stands in a stage, or is banned from it, newest state first by service and stage."""
    items: list[dict[str, Any]] = []
    allowed = _stages(bot, actor, wanted)
    for stage in allowed:
        for service, health in bot.parts.history.health(stage).items():
            if health.release is not None:
                items.append(_version(service, str(health.release), stage, health.state.value, written(health.since), health.reason))
    for ban in bot.parts.history.quarantines():
        if ban.lifted_at is None and ban.stage in allowed:
            items.append(_version(ban.service, str(ban.release), ban.stage, "quarantined", written(ban.at), ban.reason))
    fitting = [one for one in items if wanted.get("service", one["service"]) == one["service"]]
    return listed("VersionList", sorted(fitting, key=lambda one: (one["service"], allowed.index(one["stage"]), one["version"])))


def _version(service: str, version: str, stage: str, state: str, since: str | None, reason: str) -> dict[str, Any]:
    return {"service": service, "version": version, "stage": stage, "state": state, "since": since, "reason": reason}


def orders(bot: Bot, actor: Person, wanted: Wanted) -> dict[str, Any]:
    """What people ordered and is in force (holds, freezes, pins, vetoes, overrides, approvals ...), and the bot's own bans and stops."""
    items, now, seen = [], bot.parts.clock(), set[str]()
    allowed = _stages(bot, actor, wanted)
    for stage in allowed:
        for order in bot.parts.history.directives(stage):
            if order.active(now) and order.key not in seen:
                seen.add(order.key)
                items.append(_ordered(order))
        for hold in bot.parts.history.stage_holds(stage):
            if hold.lifted_at is None:
                items.append(_order("stage hold", "promotion-bot", stage, written(hold.at), reason=hold.reason))
    for ban in bot.parts.history.quarantines():
        if ban.lifted_at is None and ban.stage in allowed:
            about = {"service": ban.service, "version": str(ban.release), "reason": ban.reason}
            items.append(_order("quarantine", "promotion-bot", ban.stage, written(ban.at), **about))
    return listed("OrderList", [one for one in items if wanted.get("service", one["service"]) in (one["service"], "")])


def _ordered(order: Directive) -> dict[str, Any]:
    return _order(
        order.order.value,
        order.actor.login,
        "*" if order.stage in EVERYWHERE else order.stage,
        written(order.at),
        service=order.service,
        version=order.version,
        number=order.number,
        gate=order.gate,
        until=written(order.until),
        reason=order.reason,
    )


def _order(kind: str, by: str, stage: str, at: str | None, **more: Any) -> dict[str, Any]:
    about = {"service": "", "version": "", "number": None, "gate": "", "until": None, "reason": ""}
    return {"order": kind, "by": by, "stage": stage, "at": at} | about | more


def freezes(bot: Bot, actor: Person, wanted: Wanted) -> dict[str, Any]:
    """The freezes of the configuration with what they say now, and those that people ordered. `frozen` is null where nobody can say."""
    items, now, seen = [], bot.parts.clock(), set[str]()
    for name in _stages(bot, actor, wanted):
        for gate in bot.parts.config.stage(name).gates:
            if isinstance(gate, Freeze) and (gate.during or gate.calendar):
                verdict = gate.evaluate(Case(now=now, stage=name, name="", moves=(), upstreams=()))
                frozen = None if verdict.outcome is Outcome.UNKNOWN else not verdict.lets_pass
                items.append(_freeze(name, "configuration", frozen, verdict.sentence, written(verdict.look_again), ""))
        for order in bot.parts.history.directives(name):
            if order.order is Order.FREEZE and order.active(now) and order.key not in seen:
                seen.add(order.key)
                where = "*" if order.stage in EVERYWHERE else order.stage
                items.append(_freeze(where, order.actor.login, True, order.reason, written(order.until), order.service))
    return listed("FreezeList", items)


def _freeze(stage: str, by: str, frozen: bool | None, reason: str, changes_at: str | None, service: str) -> dict[str, Any]:
    return {"stage": stage, "service": service, "by": by, "frozen": frozen, "changes_at": changes_at, "reason": reason}


def incidents(bot: Bot, actor: Person, wanted: Wanted) -> dict[str, Any]:
    """Incidents that were told, newest first; those of no stage only to who may read every stage."""
    allowed = set(_stages(bot, actor, wanted))
    if allowed == {stage.name for stage in bot.parts.config.pipeline.stages}:
        allowed.add("")
    items = [
        {
            "id": one.id,
            "source": one.source,
            "stage": one.stage,
            "service": one.service,
            "version": one.version,
            "deploy": one.deploy,
            "cause": one.cause,
            "state": "withdrawn" if one.withdrawn else "open" if one.recovered_at is None else "recovered",
            "at": written(one.at),
            "recovered_at": written(one.recovered_at),
            "url": one.url,
        }
        for one in sorted(bot.parts.delivery.incidents(), key=lambda one: (one.at, one.id), reverse=True)
        if one.stage in allowed
    ]
    fitting = [one for one in items if all(wanted.get(name, one[name]) == one[name] for name in ("service", "state"))]
    return listed("IncidentList", fitting)


def _stages(bot: Bot, actor: Person, wanted: Wanted) -> tuple[str, ...]:
    return tuple(stage for stage in readable(bot, actor) if wanted.get("stage", stage) == stage)
