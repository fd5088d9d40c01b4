"""The desk at which people's commands are taken, from wherever they come: read, authorised, stored as directives, answered.

Decides the order of these steps and that each saying is carried out once. What a line means is `commands`' word, who may is
`authorise`'s; what an order leads to is planned from the stored directive, like from any other fact.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.collectors.rights import RightsBook
from bot.commands.grammar import PREFIX, parse
from bot.commands.model import Call, Effect, Misread, Outcome, Problem, Role, Spec, Surface, Verb
from bot.commands.shelf import verbs
from bot.config.schema import Config
from bot.domain.errors import TransientError, UserError
from bot.domain.people import Person
from bot.messages import refusals as words
from bot.planning.authorise import Permit, authorize, target_of
from bot.ports import History, Repositories
from bot.reconcile import metrics
from bot.reconcile.questions import Asked, Questions
from bot.reconcile.scenes import Said, Scenes

log = structlog.get_logger("orders")

STALE_AFTER = timedelta(hours=1)
"""A command that starts something does not count when it is read so long after it was given."""
PER_MINUTE = 20
"""So many commands a minute one account may give; more are turned down without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a line. `told` is Markdown; `orders` are the keys of the directives that were stored or taken back."""

    outcome: Outcome
    told: str = ""
    problem: Problem = Problem.NONE
    verb: str = ""
    stages: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()

    @property
    def reaction(self) -> str:
        """GitHub's reaction for it."""
        return {Outcome.DONE: "rocket", Outcome.SAME: "+1", Outcome.ASKED: "+1", Outcome.REFUSED: "confused"}[self.outcome]


class Desk:
    """Takes commands. Safe for several threads."""

    def __init__(
        self,
        config: Config,
        *,
        history: History,
        repositories: Repositories,
        rights: RightsBook,
        questions: Questions,
        clock: Callable[[], datetime],
        wake: Callable[[str, str], None],
        sync: Callable[[str], None] | None = None,
        places: Mapping[str, str] | None = None,
    ) -> None:
        self.config = config
        self.rights = rights
        self.scenes = Scenes(config, history, repositories)
        self._history = history
        self._questions = questions
        self._clock = clock
        self._wake = wake
        self._sync = sync
        self._places = places or {}
        self._recent: dict[int, deque[datetime]] = {}

    def run(self, line: str, said: Said, *, surface: Surface, dry_run: bool = False) -> Answer:
        """One line from Slack, the command line or HTTP, without the prefix."""
        if self._too_often(said.actor):
            told = f"More than {PER_MINUTE} commands a minute. Wait a moment."
            return Answer(outcome=Outcome.REFUSED, problem=Problem.TOO_OFTEN, told=told)
        text = line.strip()
        bare = text[len(PREFIX) :] if text.lower().startswith(PREFIX) and text[len(PREFIX) : len(PREFIX) + 1] in ("", " ") else text
        return self.take(parse(bare, verbs()), said, surface=surface, dry_run=dry_run)

    def take(self, call: Call | Misread, said: Said, *, surface: Surface, dry_run: bool = False) -> Answer:
        """One command that has been read already. Raises `TransientError` when the database cannot be asked."""
        if isinstance(call, Misread):
            answer = Answer(outcome=Outcome.REFUSED, problem=Problem.USAGE, told=words.wrong(line=call.text, what=call.what, fix=call.fix))
        else:
            answer = self._call(call, verbs()[call.verb], said, surface, dry_run=dry_run)
        verb = "" if isinstance(call, Misread) else call.verb
        metrics.COMMANDS.labels(verb=verb or "unknown", surface=surface.value, result=answer.outcome.value).inc()
        log.info("command", verb=verb, actor=said.actor.login, result=answer.outcome.value, problem=answer.problem.value, key=said.key)
        return replace(answer, verb=verb)

    def _call(self, call: Call, verb: Verb, said: Said, surface: Surface, *, dry_run: bool) -> Answer:
        spec = verb.spec
        if surface not in spec.surfaces:
            told = words.elsewhere(line=call.text, surfaces=tuple(one.value for one in spec.surfaces))
            return Answer(outcome=Outcome.REFUSED, problem=Problem.USAGE, told=told)
        now = self._clock()
        if not spec.lasting and now - said.at > STALE_AFTER:
            return Answer(outcome=Outcome.REFUSED, problem=Problem.CONFLICT, told=words.too_old(line=call.text, at=said.at))
        scene = self.scenes.of(said, key=f"{said.key}:{call.line}", now=now)
        effect = verb.carry(call, scene)
        permit = self._permit(said, spec, effect)
        if not permit.allowed:
            return self._denied(call, spec, permit)
        if effect.outcome is Outcome.REFUSED:
            told = words.wrong(line=call.text, what=effect.told)
            return Answer(outcome=Outcome.REFUSED, problem=effect.problem, told=told, stages=effect.stages)
        if effect.query:
            told = self._ask(effect, said, surface, dry_run=dry_run)
            return Answer(outcome=Outcome.ASKED, told=told, stages=effect.stages)
        refused = self._nudge(effect, said, call, now, dry_run=dry_run)
        if refused is not None:
            return refused
        if not dry_run:
            self._store(effect, said, call, now)
        keys = (*(order.key for order in effect.add), *effect.withdraw)
        return Answer(outcome=effect.outcome, told=effect.told, stages=effect.stages, orders=keys)

    def _permit(self, said: Said, spec: Spec, effect: Effect) -> Permit:
        """A question needs no more than to look; a refusal names stages only to who may look at them."""
        stages = effect.stages or ((said.stage,) if said.stage else ())
        target = target_of(replace(effect, stages=stages), said.number)
        asked = stages or tuple(stage.name for stage in self.config.pipeline.stages)
        rights = self.rights.of(said.actor, asked)
        needed = replace(spec, role=Role.VIEWER) if effect.outcome is Outcome.REFUSED and not effect.stages else spec
        return authorize(self.config, said.actor, needed, target, rights)

    def _denied(self, call: Call, spec: Spec, permit: Permit) -> Answer:
        if permit.stranger:
            told = words.stranger(line=call.text)
        elif permit.problem:
            told = words.cannot_tell(line=call.text, stage=permit.stage, problem=permit.problem)
        else:
            source = self._places.get(permit.source, permit.source)
            told = words.no_role(
                line=call.text,
                verb=spec.verb,
                stage=permit.stage or "any stage",
                has=permit.has.value if permit.has else "",
                needs=permit.needs.value if permit.needs else spec.role.value,
                source=source,
                who=permit.who,
            )
        problem = Problem.UNAVAILABLE if permit.problem else Problem.UNAUTHORISED
        return Answer(outcome=Outcome.REFUSED, problem=problem, told=told, stages=(permit.stage,) if permit.stage else ())

    def _store(self, effect: Effect, said: Said, call: Call, now: datetime) -> None:
        """Write the orders down, and have every stage that they touch looked at."""
        if effect.withdraw:
            why = call.flags.get("reason") or f"{PREFIX} {call.text}"
            self._history.withdraw_directives(effect.withdraw, now=now, actor=said.actor.login, why=why)
        for order in effect.add:
            self._history.add_directive(order)
        for hold in effect.lift:
            self._history.save_stage_hold(hold, now=now)
            self._history.audit(
                actor=said.actor.login,
                action="lift stage hold",
                subject=hold.stage,
                why=f"{PREFIX} {call.text}",
                now=now,
                details={"key": said.key, "actor_id": str(said.actor.id)},
            )
        if effect.add or effect.withdraw or effect.lift:
            for stage in dict.fromkeys([*effect.stages, *(after for name in effect.stages for after in self.config.after(name))]):
                self._wake(stage, f"order of {said.actor.login}")

    def _nudge(self, effect: Effect, said: Said, call: Call, now: datetime, *, dry_run: bool) -> Answer | None:
        """Ask the GitOps agents of these stages to look at git; the refusal where one cannot be asked."""
        for stage in effect.nudge:
            cluster = self.config.stage(stage).cluster
            if cluster is None or cluster.agent == "none" or self._sync is None:
                what, fix = f"no GitOps agent of {stage} is configured.", f"Say in `cluster.agent` of {stage} which one it is."
                return _not_asked(call, stage, Problem.CONFLICT, what=what, fix=fix)
            if dry_run:
                continue
            try:
                self._sync(stage)
            except UserError as error:
                return _not_asked(call, stage, Problem.UNAVAILABLE, what=f"{error.what.rstrip('.')}.", fix=error.fix)
            except TransientError as error:
                return _not_asked(call, stage, Problem.UNAVAILABLE, what=f"{error.what.rstrip('.')}.", fix="Give it again in a moment.")
            details = {"key": said.key, "actor_id": str(said.actor.id)}
            why = f"{PREFIX} {call.text}"
            self._history.audit(actor=said.actor.login, action="ask the agent to sync", subject=stage, why=why, now=now, details=details)
        return None

    def _ask(self, effect: Effect, said: Said, surface: Surface, *, dry_run: bool) -> str:
        """Answer a question. `status` and `retry <gate>` also have the pull request and the stage looked at anew."""
        if effect.query in ("status", "recheck") and not dry_run:
            for stage in effect.stages:
                if said.number is not None and stage == said.stage:
                    self._history.want_pulls(self.config.stage(stage).repository, [said.number])
                self._wake(stage, f"{effect.query} for {said.actor.login}")
        asked = Asked(effect=effect, said=said, surface=surface)
        try:
            return self._questions.answer(asked, self.rights.of(said.actor, [stage.name for stage in self.config.pipeline.stages]))
        except (TransientError, UserError) as error:
            return words.wrong(line=effect.query, what=error.what)

    def _too_often(self, actor: Person) -> bool:
        now = self._clock()
        recent = self._recent.setdefault(actor.id, deque(maxlen=PER_MINUTE))
        if len(recent) == PER_MINUTE and now - recent[0] < timedelta(minutes=1):
            return True
        recent.append(now)
        if len(self._recent) > 10_000:
            self._recent.pop(next(iter(self._recent)))
        return False


def _not_asked(call: Call, stage: str, problem: Problem, *, what: str, fix: str) -> Answer:
    """The refusal of a command whose agent could not be asked."""
    return Answer(outcome=Outcome.REFUSED, problem=problem, told=words.wrong(line=call.text, what=what, fix=fix), stages=(stage,))
