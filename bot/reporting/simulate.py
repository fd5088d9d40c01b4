"""The recorded history under other rules: what would have waited, how much longer, and which failures would have been stopped.

Replays promotions stage by stage from upstream to downstream and asks the very gates that the configuration names. Gates whose facts no
history holds (checks, approvals, probes) count as they went in the past, and are named in what cannot be known. Nothing is ever
earlier than it was: why else it waited then is not on record.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter

from bot.config.schema import Config
from bot.domain.facts import Answer, Case
from bot.domain.history import History, RolloutKind
from bot.domain.statistics import median
from bot.domain.verdict import Verdict
from bot.gates import Gate, evaluate_all
from bot.gates.depends import Depends
from bot.gates.dora import Dora
from bot.reporting.blame import Change
from bot.reporting.gate_stats import StageHistory
from bot.reporting.lineage import Lineage, trace
from bot.reporting.replay import Replay, bad_upstream
from bot.reporting.roles import Role, Rollout
from bot.reporting.simulation import Fate, Replayed, Rule, Simulation

REPLAYED = frozenset(["upstream", "soak", "window", "freeze", "dora", "order", "depends"])
_LONGEST = 400
_EXACT = 200
"""So many looks at one promotion go to every edge of every gate, so that each gate's time is exact; later ones only to what holds it."""
_ALWAYS = "promotions are judged when their rollouts ended: when they were opened and merged is not on record"


def simulate(history: History, config: Config, *, since: datetime, as_of: datetime) -> Simulation:
    """Replays what was promoted from `since` to `as_of` under the gates of `config`; everything before is taken as it was."""
    world = _World(history, config, since, as_of)
    for stage in config.order():
        world.play(stage)
    return world.told()


class _World:
    """A replay under way: lineages, timelines and the promotions judged so far."""

    def __init__(self, history: History, config: Config, since: datetime, as_of: datetime) -> None:
        self.config, self.since, self.as_of = config, since, as_of
        self.events = sorted((event for event in history.events if event.at <= as_of), key=lambda event: event.at)
        self.instants = [event.at for event in self.events]
        self.lineages: dict[str, Lineage] = {
            stage: trace(self.events, stage=stage, as_of=as_of, version_order=history.version_order) for stage in config.order()
        }
        self.histories = {stage: StageHistory(self.events, stage=stage, version_order=history.version_order) for stage in config.order()}
        self.changes: dict[tuple[str, str, str], Change] = {}
        self.replay = Replay()
        self.recorded = Replay()
        self.found: list[Replayed] = []
        self.unknown: dict[str, int] = defaultdict(int)

    def play(self, stage: str) -> None:
        """One stage: rollbacks and redeploys as they were, promotions as the gates would have let them."""
        lineage = self.lineages[stage]
        self.replay.mark_failures(lineage)
        failed: dict[str, Change] = {}
        firsts: set[str] = set()
        for change in lineage.changes:
            self.changes[stage, change.first.service, change.first.version] = change
            firsts.add(change.first.id)
            if change.failed:
                failed.update((attempt.deploy.id, change) for attempt in change.attempts)
        delays: dict[str, timedelta | None] = {}
        for rollout in sorted(lineage.rollouts, key=self._needed_first(stage)):
            deploy = rollout.deploy
            key = f"{deploy.service} {deploy.version}"
            if deploy.id in firsts and self._is_promotion(rollout):
                result = self._judge(rollout, failed=deploy.id in failed)
                self.found.append(result)
                delays[key] = None if result.entered_at is None else result.entered_at - deploy.at
            if not rollout.succeeded:
                continue
            delay = delays.get(key, timedelta()) if rollout.role is Role.DEPLOYMENT else timedelta()
            self.recorded.line(stage, deploy.service).went_live(deploy.version, deploy.at)
            if delay is not None:
                self.replay.line(stage, deploy.service).went_live(deploy.version, deploy.at + delay)

    def _needed_first(self, stage: str) -> Callable[[Rollout], int]:
        """The place of a rollout's service: after those that it depends on, so that it sees when they arrive. A circle has no order.

        Services that need nobody share a place and so are played in the order of time, in which the figures of a gate are counted on.
        """
        services = {rollout.deploy.service for rollout in self.lineages[stage].rollouts}
        depends = [gate for gate in self.config.stage(stage).gates if isinstance(gate, Depends)]
        needs = {service: sorted({name for gate in depends if gate.asks(service) for name in gate.on}) for service in sorted(services)}
        places: dict[str, int] = {}
        order = TopologicalSorter(needs)
        with suppress(CycleError):
            order.prepare()
            while ready := order.get_ready():
                places |= dict.fromkeys(ready, max(places.values(), default=-1) + 1)
                order.done(*ready)
        return lambda rollout: places.get(rollout.deploy.service, 0)

    def _is_promotion(self, rollout: Rollout) -> bool:
        """Whether the rollout came by a promotion inside the replay: into a first stage versions are not promoted."""
        kinds = (RolloutKind.PROMOTION, RolloutKind.HOTFIX)
        deploy = rollout.deploy
        promoted = bool(self.config.stage(deploy.stage).after) and not deploy.baseline
        return promoted and deploy.at >= self.since and rollout.kind in kinds

    def _judge(self, rollout: Rollout, *, failed: bool) -> Replayed:
        deploy = rollout.deploy
        gates = self._gates(rollout)
        waits: dict[str, float] = defaultdict(float)
        now, fate, why = deploy.at, Fate.ENTERED, ""
        for look in range(_LONGEST):
            verdicts = evaluate_all(gates, self._case(rollout, gates, now))
            blocking = [verdict for verdict in verdicts if not verdict.lets_pass]
            if not blocking:
                break
            why = blocking[0].sentence
            if (gone := self._gone(rollout, now)) is not None:
                fate = gone
                break
            following = self._next(rollout, gates, verdicts if look < _EXACT else blocking, now)
            until = self.as_of if following is None else min(following, self.as_of)
            for verdict in blocking:
                waits[verdict.gate] += (until - now).total_seconds()
            now = until
            if now >= self.as_of:
                fate = Fate.WAITING
                break
        else:
            fate = Fate.WAITING
            self.unknown[f"promotions into {deploy.stage} whose gates changed more than {_LONGEST} times were left waiting"] += 1
        return Replayed(
            deploy=deploy.id,
            service=deploy.service,
            version=deploy.version,
            stage=deploy.stage,
            recorded_at=deploy.at,
            entered_at=now if fate is Fate.ENTERED else None,
            fate=fate,
            waited_s=(now - deploy.at).total_seconds(),
            waits=tuple(sorted(waits.items())),
            why=why,
            failed=failed,
        )

    def _gates(self, rollout: Rollout) -> list[Gate]:
        """The gates that history can answer for this promotion; the others are noted as not known."""
        stage = self.config.stage(rollout.deploy.stage)
        seen = self._seen(rollout)
        gates = []
        for gate in stage.gates:
            case = self.replay.case(rollout, stage.after, now=rollout.deploy.at, needs_all=stage.needs == "all")
            if gate.gate == "hold":
                continue
            if gate.gate not in REPLAYED or (gate.gate != "dora" and gate.questions(case)):
                self.unknown[f"{gate.label} of {stage.name} needs facts that no history holds; it counts as it went in the past"] += 1
            elif gate.gate in ("upstream", "soak") and stage.after and not seen:
                self.unknown[f"versions entered {stage.name} that the history does not show live upstream; {gate.label} was not asked"] += 1
            else:
                gates.append(gate)
            if isinstance(gate, Dora) and gate.error_budget != "off":
                self.unknown[f"the error budget of {stage.name} is in no history; {gate.label} was judged without it"] += 1
        return gates

    def _case(self, rollout: Rollout, gates: Sequence[Gate], now: datetime) -> Case:
        stage = self.config.stage(rollout.deploy.stage)
        case = self.replay.case(rollout, stage.after, now=now, needs_all=stage.needs == "all")
        if any(gate.gate == "depends" for gate in gates):
            case = replace(case, present=self.replay.present(stage.name, now))
        answers = {}
        for gate in gates:
            if isinstance(gate, Dora):
                figures, *budget = gate.questions(case)
                answers[figures] = Answer(at=now, value=self.histories[stage.name].stats(over=gate.over, now=now))
                answers |= {question: Answer(at=now, value=[]) for question in budget}  # no history holds it: without data it allows
        return replace(case, answers=answers)

    def _seen(self, rollout: Rollout) -> bool:
        """Whether the record shows the version live upstream at its own time: without that nothing about upstreams can be asked."""
        deploy = rollout.deploy
        live = [self.recorded.line(name, deploy.service).live(deploy.at) for name in self.config.stage(deploy.stage).after]
        return any(found is not None and found[0] == deploy.version for found in live)

    def _gone(self, rollout: Rollout, now: datetime) -> Fate | None:
        """Whether the version has left every upstream for good (or never came there) while it waited, and whether it had failed there."""
        deploy = rollout.deploy
        after = self.config.stage(deploy.stage).after
        known = any(deploy.version in self.recorded.line(name, deploy.service).versions for name in after)
        if not known or rollout.kind is RolloutKind.HOTFIX:
            return None
        if any(self.replay.line(name, deploy.service).has(deploy.version, now) for name in after):
            return None
        return Fate.STOPPED if bad_upstream(self.changes, after, deploy.service, deploy.version, now) else Fate.SUPERSEDED

    def _next(self, rollout: Rollout, gates: Sequence[Gate], verdicts: Sequence[Verdict], now: datetime) -> datetime | None:
        """The next instant at which a gate's answer may change: by time, or because something happens. In between each one stands."""
        deploy = rollout.deploy
        edges = [self.replay.line(name, deploy.service).next_edge(now) for name in self.config.stage(deploy.stage).after]
        needed = {name for gate in gates if isinstance(gate, Depends) for name in gate.on}
        edges += [self.replay.line(deploy.stage, name).next_edge(now) for name in needed]
        if any(verdict.look_again is None for verdict in verdicts if not verdict.lets_pass):
            place = bisect_right(self.instants, now)
            edges.append(self.instants[place] if place < len(self.instants) else None)
        edges += [verdict.look_again for verdict in verdicts]
        return min([edge for edge in edges if edge is not None and edge > now], default=None)

    def told(self) -> Simulation:
        """The answer over everything that was played."""
        last = [name for name in self.config.order() if not self.config.downstreams(name)]
        entered = {found.deploy: found for found in self.found}
        before: list[float] = []
        after: list[float] = []
        undelivered = 0
        for stage in last:
            arrivals = self._arrivals(stage, entered)
            for lead in self.lineages[stage].leads:
                if lead.deploy.at < self.since or lead.seconds < 0:
                    continue
                arrival = arrivals[lead.deploy.id]
                if arrival is None:
                    undelivered += 1
                    continue
                before.append(lead.seconds)
                after.append(lead.seconds + max(arrival - lead.deploy.at, timedelta()).total_seconds())
        rules = self._rules()
        return Simulation(
            since=self.since,
            as_of=self.as_of,
            promotions=tuple(sorted(self.found, key=lambda found: (found.recorded_at, found.deploy))),
            rules=rules,
            lead_before_s=median(before),
            lead_after_s=median(after),
            undelivered_commits=undelivered,
            unknown=(_ALWAYS, *(f"{count} times: {text}" for text, count in sorted(self.unknown.items()))),
        )

    def _arrivals(self, stage: str, entered: dict[str, Replayed]) -> dict[str, datetime | None]:
        """When what each deployment carried would have arrived: with it, or with the next one of its service that entered."""
        judged_as = {change.deployment.deploy.id: change.first.id for change in self.lineages[stage].changes if change.deployment}
        following: dict[str, datetime | None] = {}
        found: dict[str, datetime | None] = {}
        for rollout in reversed(self.lineages[stage].rollouts):
            deploy = rollout.deploy
            if rollout.role is not Role.DEPLOYMENT:
                continue
            result = entered.get(judged_as.get(deploy.id, deploy.id))
            own = deploy.at if result is None else result.entered_at and deploy.at + (result.entered_at - result.recorded_at)
            later = following.get(deploy.service)
            following[deploy.service] = found[deploy.id] = min(filter(None, (own, later)), default=None)
        return found

    def _rules(self) -> tuple[Rule, ...]:
        held: dict[tuple[str, str], list[Replayed]] = defaultdict(list)
        for found in self.found:
            for gate, _ in found.waits:
                held[found.stage, gate].append(found)
        return tuple(
            Rule(
                stage=stage,
                gate=gate,
                held=len(promotions),
                blocked_s=sum(dict(found.waits)[gate] for found in promotions),
                failures_stopped=sum(found.failure_stopped for found in promotions),
            )
            for (stage, gate), promotions in sorted(held.items())
        )
