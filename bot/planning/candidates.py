"""What should be promoted into a stage: per service either a candidate, or the reason why there is none.

Follows the product's rules in their order: the version stands upstream and runs healthily there for the soak time; it is not
what the stage has; nobody and nothing bans it; the stage is not ahead; nothing is guessed where slots disagree or
files cannot be read.
"""

from collections.abc import Mapping

from bot.config.schema import Config, Stage
from bot.domain.facts import Case, Facts, ServiceView, StageView, Upstream
from bot.domain.promotion import Move
from bot.domain.release import Release, compare_releases, same_release
from bot.domain.rollout import RolloutState
from bot.gates import evaluate_all
from bot.messages import orders as order_words
from bot.messages import standings as say
from bot.planning import following, orders
from bot.planning.bans import banned
from bot.planning.offers import Offer, offered
from bot.planning.standing import Candidate, Report, Standing
from bot.planning.transfer import CannotCarry, edits

BEFORE_OPENING = frozenset({"upstream", "soak"})
"""The gates that must pass before a promotion is opened at all; the others hold its merge."""


def candidates(config: Config, facts: Facts) -> tuple[dict[str, Candidate], dict[str, Report]]:
    """(candidates by service, reports of the services that have none) for the stage that `facts` are about."""
    stage = config.stage(facts.stage)
    target = facts.stages[stage.name]
    sources = [facts.stages[name] for name in stage.after if name in facts.stages]
    found: dict[str, Candidate] = {}
    reports: dict[str, Report] = {}
    names = set(target.services) | {name for source in sources for name in source.services}
    for service in sorted(names):
        answer = _consider(config, stage, facts, service, sources)
        if isinstance(answer, Candidate):
            found[service] = answer
        elif answer is not None:
            reports[service] = answer
    return found, reports


def _consider(config: Config, stage: Stage, facts: Facts, service: str, sources: list[StageView]) -> Candidate | Report | None:
    back = _back(stage, facts, service)
    if back is not None:
        return back
    target = facts.stages[stage.name]
    views = {source.stage: source.services[service] for source in sources if service in source.services}
    unreadable = _unreadable(service, target, sources)
    if unreadable is not None:
        return unreadable
    mine = target.services.get(service)
    if not views:
        return None if stage.after or mine is None else _arrived(config, stage, facts, mine)
    if mine is None:
        return Report(service=service, stage=stage.name, standing=Standing.ABSENT, sentence=say.absent(service, stage.name, sorted(views)))
    for name, view in {**views, stage.name: mine}.items():
        if view.release is None:
            places = tuple(f"{slot.path}:{slot.line}" for slot in view.slots)
            return Report(
                service=service,
                stage=stage.name,
                standing=Standing.AMBIGUOUS,
                sentence=say.ambiguous(service, name, view.slots),
                places=places,
            )
    return _choose(config, stage, facts, service, views)


def _choose(config: Config, stage: Stage, facts: Facts, service: str, views: Mapping[str, ServiceView]) -> Candidate | Report:
    mine = facts.stages[stage.name].services[service]
    assert mine.release is not None  # the caller has answered `ambiguous` already
    before = following.earlier(config, stage, facts, service, mine.release, views)
    if before is not None:
        return _weigh(config, stage, facts, mine, before)
    chosen = _upstream_release(stage, facts, service, views)
    if isinstance(chosen, Report):
        return chosen
    name, release = chosen
    since = upstream_fact(facts, name, service, release).healthy_since or facts.now
    return _weigh(config, stage, facts, mine, Offer(origin=name, release=release, since=since))


def _arrived(config: Config, stage: Stage, facts: Facts, mine: ServiceView) -> Candidate | Report | None:
    """What was offered to a first stage; None where nothing was."""
    if mine.release is None and any(slot.artifact in facts.offers for slot in mine.slots):
        places = tuple(f"{slot.path}:{slot.line}" for slot in mine.slots)
        sentence = say.ambiguous(mine.service, stage.name, mine.slots)
        return Report(service=mine.service, stage=stage.name, standing=Standing.AMBIGUOUS, sentence=sentence, places=places)
    offer = offered(mine, facts.offers)
    if offer is not None:
        return _weigh(config, stage, facts, mine, offer)
    lost = next((slot.artifact for slot in mine.slots if slot.artifact in facts.offer_problems), None)
    if lost is not None:
        sentence = say.offers_unknown(mine.service, stage.name, lost, facts.offer_problems[lost])
        return Report(service=mine.service, stage=stage.name, standing=Standing.UNKNOWN, sentence=sentence)
    if facts.offers or not any(mine.service in p.services and p.state.before_merge for p in facts.promotions):
        return None
    return Report(service=mine.service, stage=stage.name, standing=Standing.WAITING, sentence=say.not_offered(mine.service, stage.name))


def _weigh(config: Config, stage: Stage, facts: Facts, mine: ServiceView, offer: Offer) -> Candidate | Report:
    """Whether what is offered may enter: by order, bans, the slots' shapes, and the gates that come before opening."""
    assert mine.release is not None  # whoever asks has answered `ambiguous` already
    service, release = mine.service, offer.release
    report = _Reporter(service=service, stage=stage.name, old=str(mine.release), new=str(release))
    if same_release(release, mine.release):
        told = say.up_to_date if stage.after else say.newest
        return report(Standing.UP_TO_DATE, told(service, stage.name, mine.release))
    order = compare_releases(release, mine.release)
    if order is not None and order < 0 and not stage.allow_downgrade:
        return report(Standing.DIVERGED, say.diverged(service, stage.name, offer.origin, mine.release, release))
    ban = banned(config, facts, service, release)
    if ban is not None:
        return report(*ban)
    try:
        wanted = edits(mine, release, folder=stage.folder)
    except CannotCarry as problem:
        return report(Standing.UNREADABLE, str(problem))
    case = case_before_opening(config, facts, service, Move(service=service, old=mine.release, new=release, edits=wanted))
    verdicts = evaluate_all([gate for gate in stage.gates if gate.gate in BEFORE_OPENING], case)
    blocking = [verdict for verdict in verdicts if not verdict.lets_pass]
    if blocking and orders.starting(facts, service, release) is None:
        first = blocking[0]
        return report(Standing.WAITING, say.waiting(first), verdicts=verdicts, look_again=first.look_again)
    return Candidate(service=service, old=mine.release, new=release, edits=wanted, healthy_since=offer.since, upstream=offer.origin)


def _back(stage: Stage, facts: Facts, service: str) -> Candidate | Report | None:
    """What a person ordered this service to go back to, by name; None where nobody did."""
    order = orders.rollback(facts, service)
    mine = facts.stages[stage.name].services.get(service)
    if order is None or not order.version or mine is None or mine.release is None:
        return None
    release = orders.older(mine.release, order)
    try:
        wanted = edits(mine, release, folder=stage.folder)
    except CannotCarry as problem:
        return Report(
            service=service,
            stage=stage.name,
            standing=Standing.UNREADABLE,
            sentence=f"{order_words.going_back(service, stage.name, order)} {problem}",
            old=str(mine.release),
            new=str(release),
        )
    return Candidate(service=service, old=mine.release, new=release, edits=wanted, healthy_since=facts.now, upstream="")


def _upstream_release(stage: Stage, facts: Facts, service: str, views: Mapping[str, ServiceView]) -> tuple[str, Release] | Report:
    """Which upstream's release is meant: the one that all name, or with `needs: any` the newest that runs healthily."""
    releases = {name: view.release for name, view in views.items() if view.release is not None}
    name, release = next(iter(releases.items()))
    for other_name, other in releases.items():
        if stage.needs == "any":
            healthy = upstream_fact(facts, other_name, service, other).state is RolloutState.HEALTHY
            first_healthy = upstream_fact(facts, name, service, release).state is RolloutState.HEALTHY
            newer = compare_releases(other, release) == 1
            if healthy and (newer or not first_healthy):
                name, release = other_name, other
        elif not same_release(other, release):
            return Report(
                service=service,
                stage=stage.name,
                standing=Standing.WAITING,
                sentence=say.upstreams_differ(service, stage.name, {key: str(value) for key, value in releases.items()}),
            )
    return name, release


def upstream_fact(facts: Facts, stage: str, service: str, release: Release) -> Upstream:
    """How `release` of a service stands in an upstream stage."""
    view = facts.stages.get(stage)
    declared = view.services.get(service) if view is not None else None
    health = view.health.get(service) if view is not None else None
    declares = declared is not None and declared.release is not None and same_release(declared.release, release)
    if view is None or health is None:
        reason = (view.cluster_problem or view.problem) if view is not None else f"stage {stage} has not been observed yet"
        return Upstream(stage=stage, declares=declares, state=RolloutState.UNKNOWN, reason=reason or "nothing is known of its rollout yet")
    stretch = None if declares else following.stretch_of(facts, stage, service, release)
    if stretch is not None:
        return Upstream(
            stage=stage, declares=True, state=RolloutState.HEALTHY, healthy_since=stretch.since, until=stretch.until, release=release
        )
    state = RolloutState.PROGRESSING if health.state is RolloutState.HEALTHY and not health.taken else health.state
    healthy = state is RolloutState.HEALTHY and declares
    return Upstream(
        stage=stage,
        declares=declares,
        state=state,
        healthy_since=(health.steady_since or health.since) if healthy else None,
        reason=health.reason,
        release=declared.release if declared is not None else None,
    )


def case_before_opening(config: Config, facts: Facts, service: str, move: Move) -> Case:
    """The case of a promotion that does not exist yet, for the gates that are asked before it is opened."""
    stage = config.stage(facts.stage)
    present_in = [name for name in stage.after if name not in facts.stages or service in facts.stages[name].services]
    return Case(
        now=facts.now,
        stage=stage.name,
        name=service,
        moves=(move,),
        upstreams=tuple(upstream_fact(facts, name, service, move.new) for name in present_in),
        needs_all=stage.needs == "all",
        target=facts.stages[stage.name].health,
        target_problem=facts.stages[stage.name].cluster_problem,
        directives=facts.directives,
        answers=facts.answers,
    )


def _unreadable(service: str, target: StageView, sources: list[StageView]) -> Report | None:
    """A problem in the very place where the service should stand, told by where it stands in the other stages."""
    stages = [target, *sources]
    for view in stages:
        if view.problem and not view.services:
            return Report(service=service, stage=target.stage, standing=Standing.UNKNOWN, sentence=view.problem)
        own = view.services.get(service)
        here = {(slot.path, slot.key) for slot in own.slots} if own is not None else set()
        broken = {problem.path: problem for problem in reversed(view.problems)}
        for other in stages:
            sister = other.services.get(service)
            for slot in sister.slots if sister is not None else ():
                if slot.path in broken and (slot.path, slot.key) not in here:
                    problem = broken[slot.path]
                    return Report(
                        service=service,
                        stage=target.stage,
                        standing=Standing.UNREADABLE,
                        sentence=say.unreadable(service, view.stage, problem),
                        places=(f"{problem.path}:{problem.line}",),
                    )
    return None


class _Reporter:
    """Makes reports that share service, stage and versions."""

    def __init__(self, *, service: str, stage: str, old: str, new: str) -> None:
        self._shared = {"service": service, "stage": stage, "old": old, "new": new}

    def __call__(self, standing: Standing, sentence: str, **more: object) -> Report:
        return Report(standing=standing, sentence=sentence, **self._shared, **more)  # type: ignore[arg-type]
