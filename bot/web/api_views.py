"""What /api/v1 shows: promotions and stages, to those who may read the stage's repository. Reads the database only.

Decides the fields, which are stable, and who sees which stage; nothing is changed here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.app import Bot
from bot.commands.model import Problem
from bot.domain.instants import format_instant
from bot.domain.people import Person
from bot.domain.promotion import Promotion
from bot.planning.authorise import role_in
from bot.reconcile.scenes import newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A pull request's number, and in which stage it is; without a stage, why that is not known."""

    number: int
    stage: str = ""
    problem: Problem = Problem.NONE
    told: str = ""


def which(bot: Bot, wanted: Numbered) -> Numbered:
    """The stage of a pull request; numbers are a repository's own, so that two stages may have the same."""
    names = [stage.name for stage in bot.parts.config.pipeline.stages if wanted.stage in ("", stage.name)]
    found = [name for name in names if newest(bot.parts.history.promotions(name), wanted.number) is not None]
    if len(found) == 1:
        return Numbered(number=wanted.number, stage=found[0])
    if not found:
        where = f" in {wanted.stage}" if wanted.stage else ""
        return Numbered(
            number=wanted.number, problem=Problem.NOT_FOUND, told=f"No promotion with pull request #{wanted.number} is known{where}."
        )
    told = f"#{wanted.number} is a promotion in {' and in '.join(found)}. Name the stage."
    return Numbered(number=wanted.number, problem=Problem.CONFLICT, told=told)


def readable(bot: Bot, actor: Person) -> tuple[str, ...]:
    """The stages whose repository the account may read."""
    config = bot.parts.config
    names = [stage.name for stage in config.pipeline.stages]
    rights = bot.parts.rights.of(actor, names)
    return tuple(name for name in names if role_in(config, actor, name, rights[name]) is not None)


def promotions(bot: Bot, actor: Person, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Those in flight and the newest ended ones, of the stages that the caller may read."""
    items = []
    for stage in readable(bot, actor):
        if wanted.get("stage", stage) != stage:
            continue
        for one in bot.parts.history.promotions(stage):
            fits = wanted.get("state", one.state.value) == one.state.value and wanted.get("number", str(one.number)) == str(one.number)
            if fits and ("service" not in wanted or wanted["service"] in one.services):
                items.append(_promotion(bot, one))
    return listed("PromotionList", items)


def _promotion(bot: Bot, one: Promotion) -> dict[str, Any]:
    return {
        "id": one.id,
        "stage": one.stage,
        "name": one.name,
        "number": one.number,
        "url": one.url,
        "state": one.state.value,
        "in_flight": one.state.in_flight,
        "reason": one.reason,
        "moves": [{"service": move.service, "from": str(move.old), "to": str(move.new)} for move in one.moves],
        "head": one.head,
        "base": one.base,
        "starter": one.starter,
        "opened_at": written(one.opened_at),
        "merged_at": written(one.merged_at),
        "healthy_since": written(one.healthy_since),
        "ended_at": written(one.ended_at),
        "gates": [
            {"gate": verdict.gate, "outcome": verdict.outcome.value, "sentence": verdict.sentence, "changer": verdict.changer}
            for verdict in bot.parts.history.verdicts(one.id)
        ],
    }


def stages(bot: Bot, actor: Person) -> dict[str, Any]:
    """The stages with their services as last recorded, their stops, and the orders that stand."""
    items = []
    now = bot.parts.clock()
    for name in readable(bot, actor):
        stage = bot.parts.config.stage(name)
        history = bot.parts.history
        items.append(
            {
                "stage": name,
                "after": list(stage.after),
                "repository": stage.repository,
                "branch": stage.branch,
                "merge": stage.merge,
                "services": [
                    {
                        "service": service,
                        "version": str(health.release) if health.release is not None else "",
                        "state": health.state.value,
                        "since": written(health.since),
                        "reason": health.reason,
                        "drift": health.drift,
                    }
                    for service, health in sorted(history.health(name).items())
                ],
                "stopped": [hold.reason for hold in history.stage_holds(name) if hold.lifted_at is None],
                "orders": [
                    {
                        "order": order.order.value,
                        "by": order.actor.login,
                        "service": order.service,
                        "number": order.number,
                        "reason": order.reason,
                    }
                    for order in history.directives(name)
                    if order.active(now)
                ],
            }
        )
    return listed("StageList", items)


def written(instant: datetime | None) -> str | None:
    """As the API writes it."""
    return None if instant is None else format_instant(instant)


def listed(kind: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """A list as every list of the API looks."""
    return {"apiVersion": "promotion-bot/v1", "kind": kind, "items": items}
