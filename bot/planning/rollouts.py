"""What to do about a promotion after its merge: watch it, call it healthy or failed, take it back, watch the way back.

A rollout is over when every service of the promotion runs the new release, healthily, for the stage's `bake`. It has failed
when it is degraded for longer than `grace`, or not healthy at its `timeout`. A cluster that cannot be seen proves nothing: the
bot tells people, and neither passes nor reverts.
"""

from dataclasses import replace
from datetime import datetime

from bot.config.schema import Config, Stage
from bot.domain.action import (
    Action,
    Notify,
    Revert,
    SaveDeployment,
    SavePromotion,
    SaveQuarantine,
    SaveStageHold,
    Severity,
)
from bot.domain.directive import Directive
from bot.domain.facts import Facts, Health, Quarantine, StageHold
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.release import Release, same_release
from bot.domain.rollout import RolloutState, combine
from bot.gates import evaluate_revert
from bot.messages import orders as order_words
from bot.messages import rollouts as words
from bot.planning import orders
from bot.planning.face import show_rollout
from bot.planning.gating import case_of, first_blocking
from bot.planning.labels import ordered
from bot.planning.opened import Decision
from bot.planning.standing import Report, Standing
from bot.planning.tracking import bad_news
from bot.planning.underway import shown


def decide(config: Config, facts: Facts, promotion: Promotion) -> Decision:
    """The next step for a promotion that is merged, failed, or being taken back."""
    stage = config.stage(facts.stage)
    match promotion.state:
        case PromotionState.MERGED:
            return _watch(stage, facts, promotion)
        case PromotionState.FAILED:
            return _take_back(config, stage, facts, promotion)
        case PromotionState.REVERTING:
            return _watch_revert(stage, facts, promotion)
        case _:
            raise ValueError(f"promotion {promotion.id} is {promotion.state}: nothing rolls out")


def give_up(stage: Stage, facts: Facts, promotion: Promotion, order: Directive) -> Decision:
    """A person ordered to take back what this promotion brought: from here on it has failed, whatever the cluster says of it."""
    return _failed(stage, facts, replace(promotion, ended_at=None), order_words.rolled_back(order))


def _watch(stage: Stage, facts: Facts, promotion: Promotion) -> Decision:
    order = orders.taken_back(facts, promotion)
    if order is not None:
        return give_up(stage, facts, promotion, order)
    wanted = {move.service: move.new for move in promotion.moves}
    overtaken = _overtaken(facts, wanted)
    if overtaken is not None:
        service, present = overtaken
        why = words.overtaken(service, stage.name, wanted[service], present)
        ended = replace(promotion, state=PromotionState.SUPERSEDED, ended_at=facts.now, reason=why)
        return Decision(actions=(SavePromotion(promotion=ended, why=why),), report=_report(promotion, Standing.ROLLING_OUT, why))
    state, reason, since = _together(facts, tuple(wanted))
    started = promotion.rollout_since or promotion.merged_at or facts.now
    behind = facts.not_taken.get(promotion.id)
    if behind is not None:
        state, reason = RolloutState.PROGRESSING, words.not_taken(behind, promotion.merge_commit or "")
    bad = bad_news(stage, facts, wanted, started)
    if bad is not None:
        if bad.settled:
            return _failed(stage, facts, promotion, bad.reason)
        why = words.degraded_for_now(bad.reason, bad.look_again or facts.now)
        return shown(facts, _waiting(promotion, why, bad.look_again), promotion)
    if state is RolloutState.HEALTHY:
        return _baking(stage, facts, promotion, since)
    if state is RolloutState.DEGRADED:
        fails_at = since + stage.rollout.grace
        if facts.now >= fails_at:
            return _failed(stage, facts, promotion, reason)
        return shown(facts, _waiting(promotion, words.degraded_for_now(reason, fails_at), fails_at), promotion)
    deadline = started + stage.rollout.timeout
    view = facts.stages[stage.name]
    if facts.now < deadline:
        waiting = _waiting(promotion, words.rolling(promotion, state, reason, deadline), deadline)
        return shown(facts, waiting, promotion, words.under_way(promotion, deadline, stage.rollout.bake))
    if view.cluster_problem or view.problem:
        why = words.blind(stage.name, view.cluster_problem or view.problem, deadline)
        notice = _notify(promotion, "blind", Severity.CRITICAL, why)
        return shown(facts, replace(_waiting(promotion, why, None), actions=(notice,)), promotion)
    return _failed(stage, facts, promotion, words.timed_out(reason, stage.rollout.timeout))


def _baking(stage: Stage, facts: Facts, promotion: Promotion, since: datetime) -> Decision:
    started = max(since, promotion.rollout_since or since)
    done_at = started + stage.rollout.bake
    if facts.now < done_at:
        deadline = (promotion.rollout_since or promotion.merged_at or facts.now) + stage.rollout.timeout
        waiting = _waiting(promotion, words.baking(promotion, done_at), done_at)
        return shown(facts, waiting, promotion, words.under_way(promotion, deadline, stage.rollout.bake))
    why = words.healthy(promotion, started)
    healthy = replace(promotion, state=PromotionState.HEALTHY, healthy_since=started, ended_at=facts.now, reason=why)
    actions: list[Action] = [SavePromotion(promotion=healthy, why=why)]
    actions += [_deployment(promotion, move.service, started, "success", _kind(promotion), move.new) for move in promotion.moves]
    actions += [_notify(promotion, "healthy", Severity.INFO, why), show_rollout(healthy, why, ordered(facts, healthy))]
    return Decision(actions=tuple(actions), report=_report(healthy, Standing.UP_TO_DATE, why))


def _failed(stage: Stage, facts: Facts, promotion: Promotion, reason: str) -> Decision:
    """Ban the release, tell people, and mark it failed; the next look takes it back."""
    why = words.failed(promotion, reason)
    failed = replace(promotion, state=PromotionState.FAILED, failed_at=facts.now, reason=reason)
    actions: list[Action] = [SavePromotion(promotion=failed, why=why)]
    for move in promotion.moves:
        quarantine = Quarantine(
            stage=stage.name, service=move.service, release=move.new, at=facts.now, reason=reason, promotion=promotion.id
        )
        actions.append(SaveQuarantine(quarantine=quarantine))
        actions.append(_deployment(promotion, move.service, facts.now, "failed", _kind(promotion), move.new))
    actions += [
        _notify(promotion, "failed", Severity.CRITICAL, words.failed_notice(promotion, reason, stage.on_failure)),
        show_rollout(failed, why, ordered(facts, failed)),
    ]
    return Decision(actions=tuple(actions), report=_report(failed, Standing.ROLLING_OUT, why), look_again=facts.now)


def _take_back(config: Config, stage: Stage, facts: Facts, promotion: Promotion) -> Decision:
    if stage.on_failure == "notify" and not orders.ordered_back(facts, promotion):
        why = words.left_in_place(promotion, stage.name)
        stuck = replace(promotion, state=PromotionState.STUCK, ended_at=facts.now, reason=why)
        return Decision(actions=(SavePromotion(promotion=stuck, why=why),), report=_report(stuck, Standing.STUCK, why))
    standing_in_the_way = first_blocking(evaluate_revert(stage.gates, case_of(config, facts, promotion)))
    if standing_in_the_way is not None:
        return _waiting(promotion, words.revert_waits(promotion, standing_in_the_way), standing_in_the_way.look_again)
    edits = tuple(edit for move in promotion.moves for edit in move.edits)
    action = Revert(
        promotion=promotion,
        edits=edits,
        as_pull_request=stage.on_failure != "revert",
        message=words.revert_message(promotion),
        title=words.revert_title(promotion),
        body=words.revert_body(promotion),
    )
    actions: list[Action] = []
    if reverts_in_a_row(facts) + 1 >= stage.max_reverts:
        why = words.too_many_reverts(stage.name, reverts_in_a_row(facts) + 1)
        if not any(hold.lifted_at is None and hold.reason == why for hold in facts.stage_holds):
            actions.append(SaveStageHold(hold=StageHold(stage=stage.name, at=facts.now, reason=why)))
        actions.append(_notify(promotion, "hold", Severity.CRITICAL, why))
    actions.append(action)
    return Decision(actions=tuple(actions), report=_report(promotion, Standing.ROLLING_OUT, words.taking_back(promotion)))


def reverts_in_a_row(facts: Facts) -> int:
    """How many promotions into this stage failed, one after the other, since the last one that became healthy or the last lifted hold."""
    count = 0
    lifted = [hold.lifted_at for hold in facts.stage_holds if hold.lifted_at is not None]
    since = max(lifted, default=None)
    ended = [promotion for promotion in facts.promotions if promotion.failed_at or promotion.state is PromotionState.HEALTHY]
    ended = [promotion for promotion in ended if promotion.state is not PromotionState.FAILED]
    for promotion in sorted(ended, key=lambda item: item.failed_at or item.ended_at or item.opened_at, reverse=True):
        if promotion.failed_at is None or (since is not None and promotion.failed_at <= since):
            break
        count += 1
    return count


def _watch_revert(stage: Stage, facts: Facts, promotion: Promotion) -> Decision:
    if promotion.revert_commit is None and promotion.revert_number is not None:
        why = words.revert_unmerged(promotion)
        return replace(_waiting(promotion, why, None), actions=(_notify(promotion, "revert-waits", Severity.CRITICAL, why),))
    wanted = {move.service: move.old for move in promotion.moves}
    started = promotion.rollout_since or facts.now
    deadline = started + stage.rollout.timeout
    overtaken = _overtaken(facts, wanted)
    unseen = promotion.revert_number is not None and facts.now < deadline and _still_there(promotion, overtaken)
    if overtaken is not None and not unseen:
        service, present = overtaken
        why = words.overtaken(service, stage.name, wanted[service], present)
        ended = replace(promotion, state=PromotionState.REVERTED, ended_at=facts.now, reason=why)
        return Decision(actions=(SavePromotion(promotion=ended, why=why),), report=_report(ended, Standing.ROLLING_OUT, why))
    state, reason, since = _together(facts, tuple(wanted))
    if state is RolloutState.HEALTHY and not unseen:
        return _reverted(facts, promotion, max(since, started))
    view = facts.stages[stage.name]
    blind = bool(view.cluster_problem or view.problem)
    if blind or facts.now < deadline:
        return _waiting(promotion, words.reverting(promotion, state, reason, deadline), deadline if facts.now < deadline else None)
    why = words.revert_failed(promotion, reason)
    stuck = replace(promotion, state=PromotionState.STUCK, ended_at=facts.now, reason=why)
    hold = StageHold(stage=stage.name, at=facts.now, reason=why)
    return Decision(
        actions=(
            SavePromotion(promotion=stuck, why=why),
            SaveStageHold(hold=hold),
            _notify(promotion, "stuck", Severity.CRITICAL, why),
            show_rollout(stuck, why, ordered(facts, stuck)),
        ),
        report=_report(stuck, Standing.STUCK, why),
    )


def _still_there(promotion: Promotion, overtaken: tuple[str, Release] | None) -> bool:
    """True when the branch, as it was last read, holds the promoted release itself: the merge of the revert was not read yet."""
    return overtaken is not None and any(move.service == overtaken[0] and same_release(move.new, overtaken[1]) for move in promotion.moves)


def _reverted(facts: Facts, promotion: Promotion, since: datetime) -> Decision:
    """The stage is healthy again at the old release: recovery ends here."""
    why = words.recovered(promotion, since)
    ended = replace(promotion, state=PromotionState.REVERTED, ended_at=facts.now, healthy_since=since, reason=why)
    actions: list[Action] = [SavePromotion(promotion=ended, why=why)]
    actions += [_deployment(promotion, move.service, since, "success", "rollback", move.old) for move in promotion.moves]
    actions += [_notify(promotion, "reverted", Severity.WARNING, why), show_rollout(ended, why, ordered(facts, ended))]
    return Decision(actions=tuple(actions), report=_report(ended, Standing.UP_TO_DATE, why))


def _overtaken(facts: Facts, wanted: dict[str, Release]) -> tuple[str, Release] | None:
    """A service whose branch now declares something else than the watched release."""
    services = facts.stages[facts.stage].services
    for service, release in wanted.items():
        view = services.get(service)
        if view is not None and view.release is not None and not same_release(view.release, release):
            return service, view.release
    return None


def _together(facts: Facts, services: tuple[str, ...]) -> tuple[RolloutState, str, datetime]:
    """The worst state of the services, its reason, and since when all of them together are in it."""
    view = facts.stages[facts.stage]
    found = [view.health[service] for service in services if service in view.health]
    if len(found) < len(services):
        missing = next(service for service in services if service not in view.health)
        return RolloutState.UNKNOWN, view.problem or f"nothing is known of {missing} in {facts.stage} yet", facts.now
    state = combine(health.state for health in found)
    worst: list[Health] = [health for health in found if health.state is state]
    return state, worst[0].reason, max(health.since for health in worst)


def _waiting(promotion: Promotion, sentence: str, look_again: datetime | None) -> Decision:
    report = replace(_report(promotion, Standing.ROLLING_OUT, sentence), look_again=look_again)
    return Decision(actions=(), report=report, look_again=look_again)


def _kind(promotion: Promotion) -> str:
    return "hotfix" if promotion.hotfix else "promotion"


def _deployment(promotion: Promotion, service: str, at: datetime, status: str, kind: str, release: Release) -> SaveDeployment:
    return SaveDeployment(promotion=promotion, service=service, at=at, status=status, kind=kind, version=release.text)


def _notify(promotion: Promotion, event: str, severity: Severity, text: str) -> Notify:
    return Notify(
        key=f"{promotion.id}:{event}",
        thread=promotion.id,
        severity=severity,
        stage=promotion.stage,
        service=promotion.name,
        text=text,
        fields={"pull request": promotion.url} if promotion.url else {},
    )


def _report(promotion: Promotion, standing: Standing, sentence: str) -> Report:
    first = promotion.moves[0]
    return Report(
        service=promotion.name,
        stage=promotion.stage,
        standing=standing,
        sentence=sentence,
        old=str(first.old),
        new=str(first.new),
        promotion=promotion.id,
        number=promotion.number,
        url=promotion.url,
    )
