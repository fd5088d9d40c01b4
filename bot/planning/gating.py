"""One open promotion before its gates: the facts of its case, and what the verdicts add up to."""

from collections.abc import Sequence
from datetime import datetime

from bot.config.schema import Config
from bot.domain.facts import Case, Facts, Upstream
from bot.domain.promotion import Promotion
from bot.domain.release import Release
from bot.domain.rollout import RolloutState, combine
from bot.domain.verdict import Outcome, Verdict
from bot.gates import evaluate_all, evaluate_revert
from bot.planning import orders
from bot.planning.candidates import upstream_fact

HOTFIX_LABEL = "hotfix"


def case_of(config: Config, facts: Facts, promotion: Promotion) -> Case:
    """Everything that the gates may look at for this promotion, bound to its head and to the stage's present head as base."""
    stage = config.stage(facts.stage)
    target = facts.stages[stage.name]
    pull = facts.pulls.get(promotion.number) if promotion.number is not None else None
    known = pull is not None and not facts.forge_problem
    present: dict[str, Release] = {}
    for name, view in target.services.items():
        standing = target.health.get(name)
        if view.release is not None and standing is not None and standing.taken and standing.state is RolloutState.HEALTHY:
            present[name] = view.release
    return Case(
        now=facts.now,
        stage=stage.name,
        name=promotion.name,
        moves=promotion.moves,
        upstreams=tuple(_upstream(facts, name, promotion) for name in stage.after if _has_any(facts, name, promotion)),
        needs_all=stage.needs == "all",
        head=promotion.head,
        base=target.head or "",
        number=promotion.number,
        starter=promotion.starter,
        checks=tuple(check for check in pull.checks if check.commit == promotion.head) if pull is not None and known else None,
        approvals=facts.approvals.get(promotion.number, ()) if promotion.number is not None else (),
        directives=facts.directives,
        target=target.health,
        target_problem=target.cluster_problem,
        present=present,
        stage_holds=facts.stage_holds,
        answers=facts.answers,
        labels=frozenset(pull.labels) if pull is not None else frozenset(),
        hotfix=pull is not None and HOTFIX_LABEL in pull.labels,
    )


def judge(config: Config, facts: Facts, promotion: Promotion) -> tuple[Verdict, ...]:
    """All gates' verdicts, in the configuration's order. Where a person ordered to go back, gates say what they say of a revert."""
    gates, case = config.stage(facts.stage).gates, case_of(config, facts, promotion)
    verdicts = evaluate_all(gates, case)
    order = orders.fast_lane(facts, promotion)
    if order is None:
        return verdicts
    of_reverts = {verdict.gate: verdict for verdict in evaluate_revert(gates, case)}
    return tuple(orders.skipped(of_reverts.get(verdict.gate, verdict), order) for verdict in verdicts)


def first_blocking(verdicts: Sequence[Verdict]) -> Verdict | None:
    """What to tell first: a failure before something unknown, before something that is only awaited."""
    for outcome in (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PENDING):
        for verdict in verdicts:
            if verdict.outcome is outcome:
                return verdict
    return None


def next_look(verdicts: Sequence[Verdict]) -> datetime | None:
    """The earliest instant at which a verdict may change by time alone."""
    return min((verdict.look_again for verdict in verdicts if verdict.look_again is not None), default=None)


def _has_any(facts: Facts, stage: str, promotion: Promotion) -> bool:
    view = facts.stages.get(stage)
    return view is None or view.head is None or any(service in view.services for service in promotion.services)


def _upstream(facts: Facts, stage: str, promotion: Promotion) -> Upstream:
    """The upstream stage for all services of the promotion together: as good as the worst of them."""
    view = facts.stages.get(stage)
    services = [move for move in promotion.moves if view is None or move.service in view.services] or list(promotion.moves)
    parts = [upstream_fact(facts, stage, move.service, move.new) for move in services]
    worst = combine(part.state for part in parts)
    since = [part.healthy_since for part in parts]
    return Upstream(
        stage=stage,
        declares=all(part.declares for part in parts),
        state=worst,
        healthy_since=None if any(at is None for at in since) else max(at for at in since if at is not None),
        reason=next(part.reason for part in parts if part.state is worst),
        release=parts[0].release,
        until=min((part.until for part in parts if part.until is not None), default=None),
    )
