"""The heart: from configuration and facts to what should be done now, why, and when to look again. Pure.

Run twice on what the first run left behind, it wants nothing the second time.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from bot.config.schema import Config
from bot.domain.action import Action, Notify, SaveHealth, SavePromotion, SaveQuarantine, Severity
from bot.domain.facts import Facts, Health
from bot.domain.promotion import Move, Promotion, PromotionState, branch_name, promotion_id
from bot.domain.rollout import RolloutState
from bot.messages import pulls as words
from bot.messages import rollouts as rollout_words
from bot.messages import standings as say
from bot.planning import bans, drift, opened, orders, rollouts
from bot.planning.adopt import adopted
from bot.planning.candidates import candidates
from bot.planning.face import opening, show_rollout
from bot.planning.labels import ordered
from bot.planning.opened import Decision
from bot.planning.standing import Candidate, Plan, Report, Standing


def plan(config: Config, facts: Facts) -> Plan:
    """What to do now in the stage that `facts` are about."""
    remade = [ban for promotion in facts.recovered for ban in bans.of_failed(promotion)]
    facts = replace(facts, quarantines=(*facts.quarantines, *(ban.quarantine for ban in remade)))
    found, reports = candidates(config, facts)
    allowed = {name: candidate for name, candidate in found.items() if config.stage(facts.stage).promotes(name)}
    groups = _groups(config, facts, allowed)
    actions: list[Action] = [*_health(facts), *_unseen(config, facts)]
    decisions: list[Decision] = []
    adoptions = adopted(config, facts, groups)
    actions += [SavePromotion(promotion=promotion, why=words.adopted(promotion)) for promotion in adoptions]
    actions += [SavePromotion(promotion=promotion, why=words.recovered(promotion)) for promotion in facts.recovered]
    actions += remade
    in_flight = [*(promotion for promotion in (*facts.promotions, *facts.recovered) if promotion.state.in_flight), *adoptions]
    busy: dict[str, Promotion] = {}
    for promotion in in_flight:
        busy[promotion.name] = promotion
        if promotion.state.before_merge:
            decisions.append(_before_merge(config, facts, promotion, groups, reports))
        else:
            decisions.append(rollouts.decide(config, facts, promotion))
    actions += _unshown(facts)
    actions += _ordered_bans(facts)
    for promotion in facts.promotions:
        order = orders.taken_back(facts, promotion) if promotion.state is PromotionState.HEALTHY else None
        rolling = any(one.name == promotion.name and not one.state.before_merge for one in in_flight)
        if order is not None and not rolling:
            in_flight.append(promotion)
            busy.setdefault(promotion.name, promotion)
            decisions.append(rollouts.give_up(config.stage(facts.stage), facts, promotion, order))
    moving = {service for promotion in in_flight for service in promotion.services}
    for name, moves in groups.items():
        if name in busy:
            continue
        decisions.append(_open(config, facts, name, moves, moving, allowed))
    for decision in decisions:
        actions += decision.actions
    told = drift.told(config, facts, {**reports, **{decision.report.service: decision.report for decision in decisions}})
    looks = [decision.look_again for decision in decisions] + [report.look_again for report in reports.values()]
    return Plan(
        stage=facts.stage,
        actions=tuple(actions),
        reports=tuple(told[name] for name in sorted(told)),
        look_again=min((look for look in looks if look is not None), default=None),
        reread=tuple(sorted({number for decision in decisions for number in decision.reread})),
        problems=_problems(facts),
    )


def group_name(config: Config, stage: str, service: str) -> str:
    """The promotion's name that a service goes under in a stage: itself, its team, or `all`."""
    match batch := config.stage(stage).batch:
        case "service":
            return service
        case "team":
            return config.service(service).team or service
        case "stage":
            return "all"
        case _:
            assert_never(batch)


def _groups(config: Config, facts: Facts, found: Mapping[str, Candidate]) -> dict[str, tuple[Move, ...]]:
    grouped: dict[str, list[Move]] = defaultdict(list)
    for service, candidate in sorted(found.items()):
        move = Move(service=service, old=candidate.old, new=candidate.new, edits=candidate.edits)
        grouped[group_name(config, facts.stage, service)].append(move)
    return {name: tuple(moves) for name, moves in grouped.items()}


def _before_merge(
    config: Config, facts: Facts, promotion: Promotion, groups: Mapping[str, tuple[Move, ...]], reports: Mapping[str, Report]
) -> Decision:
    moves = groups.get(promotion.name, ())
    if promotion.state is PromotionState.OPENING and promotion.number is None and not opened.outdated(facts, promotion, moves):
        return _opening(promotion)
    lost = next((reports[service] for service in promotion.services if service in reports), None)
    if not moves and lost is None:
        lost = Report(service=promotion.name, stage=facts.stage, standing=Standing.ABSENT, sentence=words.gone(promotion))
    return opened.decide(config, facts, promotion, moves, lost)


def _open(config: Config, facts: Facts, name: str, moves: tuple[Move, ...], moving: set[str], waiting: Mapping[str, Candidate]) -> Decision:
    """Open a promotion, unless services of it still roll out, or go after others that are on their way."""
    services = {move.service for move in moves}
    first = {other for move in moves for other in config.service(move.service).after_in(facts.stage)} - services
    ahead = sorted(first & (moving | set(waiting)))
    if ahead:
        sentence = say.depends(name, facts.stage, ahead)
        report = Report(service=name, stage=facts.stage, standing=Standing.WAITING, sentence=sentence)
        return Decision(actions=(), report=report)
    if services & moving:
        report = Report(
            service=name, stage=facts.stage, standing=Standing.WAITING, sentence=words.still_moving(sorted(services & moving), facts.stage)
        )
        return Decision(actions=(), report=report)
    base = facts.stages[facts.stage].head
    if base is None:
        report = Report(service=name, stage=facts.stage, standing=Standing.UNKNOWN, sentence=facts.stages[facts.stage].problem)
        return Decision(actions=(), report=report)
    promotion = Promotion(
        id=promotion_id(facts.stage, moves, base),
        stage=facts.stage,
        name=name,
        moves=moves,
        branch=branch_name(facts.stage, name),
        state=PromotionState.OPENING,
        base=base,
        opened_at=facts.now,
        starter=orders.starter(facts, moves),
    )
    return _opening(promotion)


def _unshown(facts: Facts) -> list[Action]:
    """The end of a promotion, where its pull request does not show it: it was closed, or the bot stopped or GitHub failed before."""
    goes_on = {promotion.number for promotion in facts.promotions if promotion.state.in_flight}
    return [
        show_rollout(promotion, promotion.reason, ordered(facts, promotion))
        for promotion in facts.promotions
        if promotion.id in facts.unshown
        and (promotion.merged_at is not None or (promotion.state is PromotionState.CLOSED and promotion.number is not None))
        and not promotion.state.in_flight
        and promotion.number not in goes_on
    ]


def _ordered_bans(facts: Facts) -> list[Action]:
    """What a person ordered to be taken back by naming an older version does not return by itself."""
    found: list[Action] = []
    for service in sorted(facts.stages[facts.stage].services):
        order = orders.rollback(facts, service)
        quarantine = orders.banned_by(facts, service, order) if order is not None and order.version else None
        if quarantine is not None:
            found.append(SaveQuarantine(quarantine=quarantine))
    return found


def _opening(promotion: Promotion) -> Decision:
    action = opening(promotion)
    first = promotion.moves[0]
    report = Report(
        service=promotion.name,
        stage=promotion.stage,
        standing=Standing.READY,
        sentence=words.ready(promotion),
        old=str(first.old),
        new=str(first.new),
        promotion=promotion.id,
        places=tuple(f"{edit.path}:{edit.line}" for move in promotion.moves for edit in move.edits),
    )
    return Decision(actions=(action,), report=report)


def _health(facts: Facts) -> list[Action]:
    """Records of what changed in the cluster, and a call for help where something turned bad that no promotion is watching."""
    watched = {service for promotion in facts.promotions if promotion.state.in_flight for service in promotion.services}
    actions: list[Action] = []
    for service, health in sorted(facts.stages[facts.stage].health.items()):
        before = facts.recorded.get(service)
        if before is not None and _essence(before) == _essence(health):
            continue
        actions.append(SaveHealth(stage=facts.stage, health=health))
        if before is not None and service not in watched and _turned_bad(before, health):
            actions.append(_alarm(facts, health))
    return actions


def _unseen(config: Config, facts: Facts) -> list[Action]:
    """One call for help where a stage's cluster could not be seen for as long as a rollout may take; its key makes it one."""
    view = facts.stages[facts.stage]
    blind = [health.since for health in view.health.values() if health.state is RolloutState.UNKNOWN]
    since = min(blind, default=facts.now)
    stage = config.stage(facts.stage)
    if not view.cluster_problem or stage.cluster is None or facts.now - since < stage.rollout.timeout:
        return []
    key = f"unseen:{facts.stage}:{since.isoformat()}"
    text = rollout_words.unseen(facts.stage, view.cluster_problem, since)
    return [Notify(key=key, thread=key, severity=Severity.CRITICAL, stage=facts.stage, service="", text=text, fields={})]


def _essence(health: Health) -> tuple[object, ...]:
    """What of a health is worth a row: words and workloads alone are not."""
    return health.state, health.release, health.taken, health.since, health.steady_since, health.left_at, health.drift_since


def _turned_bad(before: Health, health: Health) -> bool:
    return (
        before.state is RolloutState.HEALTHY
        and health.state is RolloutState.DEGRADED
        and before.release == health.release
        and before.taken
        and health.taken
    )


def _alarm(facts: Facts, health: Health) -> Notify:
    key = f"degraded:{facts.stage}:{health.service}:{health.release.text if health.release else ''}:{health.since.isoformat()}"
    return Notify(
        key=key,
        thread=key,
        severity=Severity.CRITICAL,
        stage=facts.stage,
        service=health.service,
        text=rollout_words.turned_bad(health, facts.stage),
        fields={},
    )


def _problems(facts: Facts) -> dict[str, str]:
    """What could not be read or asked in this run, by where."""
    found = {}
    for name, view in facts.stages.items():
        if view.problem:
            found[f"repository of {name}"] = view.problem
        if view.cluster_problem:
            found[f"cluster of {name}"] = view.cluster_problem
        for problem in view.problems:
            found[f"{name}: {problem.path}:{problem.line}"] = problem.message
    found |= {f"new versions of {artifact}": problem for artifact, problem in facts.offer_problems.items()}
    if facts.forge_problem:
        found["forge"] = facts.forge_problem
    return found
