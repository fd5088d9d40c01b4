"""Drift: the cluster wants another version or other replicas than git declares, and no rollout of the bot's explains it.

Decides from a stage's health what is said of it in `plan`, `why` and on the board. What it holds back is the `health` gate's word;
whose replicas an autoscaler owns is `replicas`' word.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.config.schema import Config
from bot.domain.facts import Facts, Health
from bot.domain.rollout import RolloutState
from bot.messages import standings as say
from bot.messages.words import full
from bot.planning.standing import Report, Standing


def drifted(health: Health) -> bool:
    """True when the service's workloads were seen and want something else than git declares."""
    if health.drift:
        return True
    return not health.taken and bool(health.workloads) and health.release is not None and health.state is not RolloutState.UNKNOWN


def told(config: Config, facts: Facts, reports: Mapping[str, Report]) -> dict[str, Report]:
    """The reports, with drift named: added to what is said of a service, or as a report of its own where nothing is said.

    A rollout that is watched tells of its own progress. What the agent may still bring, because it is younger than the stage's
    rollout may take, is told but not yet called drift.
    """
    in_flight = [promotion for promotion in facts.promotions if promotion.state.in_flight]
    watched = {service for promotion in in_flight if not promotion.state.before_merge for service in promotion.services}
    groups = {service: promotion.name for promotion in in_flight for service in promotion.services}
    patience = config.stage(facts.stage).rollout.timeout
    found = dict(reports)
    for service, health in sorted(facts.stages[facts.stage].health.items()):
        if service in watched or not (drifted(health) or health.remark):
            continue
        sentence = say.drifted(health, facts.stage) if drifted(health) else full(health.remark, "")
        since = health.drift_since or health.since
        late = drifted(health) and facts.now - since >= patience
        name = service if service in found else groups.get(service, service)
        known = found.get(name)
        if known is None:
            standing = Standing.DRIFTED if late else Standing.ROLLING_OUT if drifted(health) else Standing.UP_TO_DATE
            found[name] = Report(service=service, stage=facts.stage, standing=standing, sentence=sentence, old=str(health.release))
            continue
        standing = Standing.DRIFTED if late and known.standing is Standing.UP_TO_DATE else known.standing
        found[name] = replace(known, standing=standing, sentence=f"{known.sentence} {sentence}")
    return found
