"""Gathers the facts for one run of one stage: git first (no API call), the cluster's watches, the database, and the forge only
where an event or the resync says that a pull request must be read again.

Decides what has to be read and how fresh it must be; what follows from it is left to `planning`.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from bot.collectors.agents import not_taken
from bot.collectors.approvals import Voter, approvals
from bot.collectors.artifacts import Arrivals
from bot.collectors.proven import proven
from bot.collectors.recovery import lost
from bot.collectors.rights import RightsBook
from bot.collectors.slots import SlotReader, StageSlots
from bot.commands.model import Role
from bot.commands.shelf import verbs
from bot.config.schema import Config, Stage
from bot.domain.directive import Directive, Order
from bot.domain.errors import BotError, TransientError, UserError
from bot.domain.facts import Answer, Facts, Question, ServiceView, StageView
from bot.domain.people import Person
from bot.domain.promotion import Promotion
from bot.domain.pull import PullRequest
from bot.gates import questions_of
from bot.planning.authorise import Target, authorize, role_in
from bot.planning.bans import ancestors
from bot.planning.gating import case_of
from bot.planning.health import healths
from bot.planning.inventory import views
from bot.ports import Answers, Clusters, Forge, History, Repositories

REACHING = frozenset({Order.VETO, Order.RETRY})
"""Orders of a stage that hold in the stages after it too."""
LISTENS_FOR = timedelta(hours=1)
"""So long after its end a promotion's pull request is still read in the resync: people give orders there."""
SHOWN_FOR = timedelta(days=1)
"""So long after a promotion's end its pull request is brought to show it, where the bot stopped or GitHub failed in between."""
MOST_ENDED = 20
FETCH_AT_MOST = timedelta(seconds=1)
"""Within this long after a fetch no second one is made unless a push was heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where facts come from."""

    repositories: Repositories
    forge: Forge
    clusters: Clusters
    history: History
    rights: RightsBook
    answers: tuple[Answers, ...] = ()
    arrivals: Arrivals | None = None
    offer_problems: Mapping[str, str] = field(default_factory=dict)


class Observer:
    """Gathers facts. Safe for several threads, one stage in one thread at a time."""

    def __init__(self, config: Config, sources: Sources, *, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._sources = sources
        self._clock = clock
        self._reader = SlotReader(sources.repositories, config)
        self._fetched: dict[str, datetime] = {}
        self._listed: dict[str, datetime] = {}
        self._looked_back: set[str] = set()
        self._views: tuple[object, Mapping[str, Mapping[str, ServiceView]]] | None = None
        self._lock = threading.Lock()

    def hearing(self, arrivals: Arrivals) -> "Observer":
        """Another observer of the same sources, to which these versions were offered."""
        return Observer(self._config, replace(self._sources, arrivals=arrivals), clock=self._clock)

    def observe(self, stage_name: str, *, reread: Iterable[int] = ()) -> Facts:
        """All facts for a run of this stage, as of now. `reread` are pull requests that must be read from the forge."""
        stage = self._config.stage(stage_name)
        promotions = tuple(self._sources.history.promotions(stage_name))
        stages = self._stages(stage)
        heads = self._known_heads(stage.repository)
        prefix = f"promote/{stage_name}/"
        branches = {name: commit for name, commit in heads.items() if name.startswith(prefix)}
        pulls, forge_problem = self._pulls(stage, promotions, branches, frozenset(reread))
        directives = self._directives(stage_name)
        open_pulls = [pull for pull in pulls.values() if pull.state == "open"]
        facts = Facts(
            now=self._clock(),
            stage=stage_name,
            stages=stages,
            recorded=self._sources.history.health(stage_name),
            promotions=promotions,
            pulls=pulls,
            branches=branches,
            directives=directives,
            approvals={pull.number: approvals(pull, directives, voter=partial(self._voter, stage.name)) for pull in open_pulls},
            quarantines=tuple(self._sources.history.quarantines()),
            stage_holds=tuple(self._sources.history.stage_holds(stage_name)),
            changed=self._changed(stage, stages[stage_name].head, promotions),
            not_taken=not_taken(stage, promotions, self._sources.clusters, self._sources.repositories),
            recovered=self._recovered(stage, stages[stage_name], promotions),
            unshown=self._sources.history.unshown(stage_name, since=self._clock() - SHOWN_FOR),
            forge_problem=forge_problem,
            offer_problems={} if stage.after else dict(self._sources.offer_problems),
            proven=proven(stage, self._sources.history, now=self._clock()),
            offers=self._sources.arrivals.newest() if self._sources.arrivals is not None and not stage.after else {},
        )
        return replace(facts, answers=self._answers(stage, facts))

    def _directives(self, stage: str) -> tuple[Directive, ...]:
        """The orders of this stage, and those of the stages before it that reach on: a ban there is a ban here, and so is its end."""
        history = self._sources.history
        found = {order.key: order for order in history.directives(stage)}
        for before in sorted(ancestors(self._config, stage)):
            found.update({order.key: order for order in history.directives(before) if order.order in REACHING})
        return tuple(sorted(found.values(), key=lambda order: (order.at, order.key)))

    def _stages(self, stage: Stage) -> dict[str, StageView]:
        """This stage and its upstreams, freshly fetched; the others as last known (they only help to tell what is a service)."""
        near = (stage.name, *stage.after)
        problems: dict[str, str] = {}
        for name in near:
            problems[name] = self._fetch(self._config.stage(name).repository)
        read: dict[str, StageSlots] = {}
        for other in self._config.pipeline.stages:
            commit = self._known_heads(other.repository).get(other.branch)
            if commit is None:
                if other.name in near and not problems[other.name]:
                    problems[other.name] = f"{other.repository} has no branch {other.branch}. Push it, or correct the stage's `branch`."
                continue
            read[other.name] = self._reader.read(other.name, commit)
        services = self._services(read)
        return {name: self._view(name, read.get(name), services.get(name, {}), problems[name]) for name in near}

    def _fetch(self, repository: str) -> str:
        """Fetch unless it was done a moment ago; the sentence why it cannot be read, or empty."""
        mark = self._sources.history.fetch_wanted(repository)
        now = self._clock()
        with self._lock:
            last = self._fetched.get(repository)
        if last is not None and now - last < FETCH_AT_MOST and not mark:
            return ""
        try:
            self._sources.repositories.refresh(repository)
        except TransientError as error:
            return f"{repository} cannot be fetched: {error.what}. The bot tries again by itself."
        except UserError as error:
            return f"{repository} cannot be fetched: {error.what} {error.fix}".strip()
        with self._lock:
            self._fetched[repository] = now
        if mark:
            self._sources.history.fetched(repository, mark)
        return ""

    def _known_heads(self, repository: str) -> Mapping[str, str]:
        try:
            return self._sources.repositories.heads(repository)
        except BotError:
            return {}

    def _services(self, read: Mapping[str, StageSlots]) -> Mapping[str, Mapping[str, ServiceView]]:
        key = tuple(sorted((name, slots.commit) for name, slots in read.items()))
        with self._lock:
            if self._views is not None and self._views[0] == key:
                return self._views[1]
        found = views(
            self._config,
            {name: slots.slots for name, slots in read.items()},
            {name: slots.problems for name, slots in read.items()},
        )
        with self._lock:
            self._views = (key, found)
        return found

    def _view(self, name: str, read: StageSlots | None, services: Mapping[str, ServiceView], problem: str) -> StageView:
        snapshot = self._sources.clusters.snapshot(name)
        return StageView(
            stage=name,
            head=read.commit if read is not None else None,
            services=services,
            health=healths(
                services,
                snapshot,
                recorded=self._sources.history.health(name),
                now=self._clock(),
                rollout=self._config.stage(name).rollout,
                replicas=read.replicas if read is not None else {},
            ),
            problems=read.problems if read is not None else (),
            problem=problem,
            timelines=snapshot.timelines,
            cluster_problem="" if snapshot.reachable else snapshot.problem or f"the cluster of {name} has not been looked at yet",
        )

    def _pulls(
        self, stage: Stage, promotions: Sequence[Promotion], branches: Mapping[str, str], reread: frozenset[int]
    ) -> tuple[dict[int, PullRequest], str]:
        """Pull requests of this stage: from the database while nothing says otherwise, else one query for all of them."""
        history = self._sources.history
        numbers = {promotion.number for promotion in promotions if promotion.state.before_merge and promotion.number is not None}
        known = {number: pull for number in numbers if (pull := history.pull(stage.repository, number)) is not None}
        stale = dict(history.stale_pulls(stage.repository))
        ended = {promotion.number for promotion in promotions if promotion.number is not None} - numbers
        listening = self._listening(promotions) - numbers
        known_branches = {promotion.branch for promotion in promotions}
        strangers = set(branches) - known_branches
        now = self._clock()
        with self._lock:
            listed = self._listed.get(stage.name)
        due = listed is None and bool(branches)
        due = due or (listed is not None and now - listed >= self._config.interval() and bool(numbers or strangers or listening))
        reread |= (stale.keys() & ended) | (listening if due else frozenset())
        if not (reread or due or (stale.keys() & numbers) or numbers - known.keys() or (stale and strangers)):
            with self._lock:
                self._listed.setdefault(stage.name, now)
            return known, ""
        try:
            found = self._sources.forge.pulls(
                stage.repository, base_branch=stage.branch, prefix=f"promote/{stage.name}/", numbers=sorted(numbers | reread)
            )
        except TransientError as error:
            return known, f"the forge cannot be asked: {error.what}"
        except UserError as error:
            return known, f"the forge refuses: {error.what} {error.fix}".strip()
        with self._lock:
            self._listed[stage.name] = now
        for pull in found:
            history.save_pull(pull)
        found = [history.pull(stage.repository, pull.number) or pull for pull in found]
        read = {pull.number for pull in found}
        alone = sum(1 for other in self._config.pipeline.stages if other.repository == stage.repository) == 1
        history.pulls_read(stage.repository, {number: mark for number, mark in stale.items() if alone or number in read})
        return {**known, **{pull.number: pull for pull in found}}, ""

    def _listening(self, promotions: Sequence[Promotion]) -> frozenset[int]:
        """Pull requests after their merge on which people may still give orders: while they roll out, and for a while after."""
        since = self._clock() - LISTENS_FOR
        open_ended = [one for one in promotions if one.state.in_flight or (one.ended_at is not None and one.ended_at >= since)]
        return frozenset([one.number for one in open_ended if one.number is not None][-MOST_ENDED:])

    def _changed(self, stage: Stage, head: str | None, promotions: Sequence[Promotion]) -> dict[str, tuple[str, ...]]:
        found = {}
        for promotion in promotions:
            if promotion.state.before_merge and head is not None and promotion.base != head:
                try:
                    found[promotion.id] = tuple(self._sources.repositories.changed(stage.repository, promotion.base, head))
                except BotError:
                    found[promotion.id] = tuple(edit.path for move in promotion.moves for edit in move.edits)
        return found

    def _recovered(self, stage: Stage, view: StageView, promotions: Sequence[Promotion]) -> tuple[Promotion, ...]:
        """Asked once per stage and process, and only where the database remembers nothing of the stage at all."""
        with self._lock:
            asked = stage.name in self._looked_back
            self._looked_back.add(stage.name)
        if asked or promotions or view.head is None:
            return ()
        try:
            return lost(self._config, stage, self._sources.repositories, view.head, view.services, now=self._clock())
        except BotError:
            with self._lock:
                self._looked_back.discard(stage.name)
            return ()

    def _voter(self, stage: str, person: Person) -> Voter:
        """May this person approve here, as the forge says now?"""
        rights = self._sources.rights.of(person, [stage])
        permit = authorize(self._config, person, verbs()["approve"].spec, Target(stages=(stage,)), rights)
        role = role_in(self._config, person, stage, rights[stage])
        why_not = "" if permit.allowed else permit.problem and f"nobody can tell now whether they may ({permit.problem.rstrip('.')})"
        return Voter(
            teams=rights[stage].teams,
            may=permit.allowed,
            why_not=why_not or ("" if permit.allowed else f"they may not approve for {stage}"),
            approver=role is not None and role.rank >= Role.APPROVER.rank,
        )

    def _answers(self, stage: Stage, facts: Facts) -> dict[Question, Answer]:
        asked: dict[Question, None] = {}
        for promotion in facts.promotions:
            if promotion.state.before_merge:
                asked.update(dict.fromkeys(questions_of(stage.gates, case_of(self._config, facts, promotion))))
        found: dict[Question, Answer] = {}
        for collector in self._sources.answers:
            own = [question for question in asked if question.source == collector.source]
            if own:
                found.update(collector.answer(own, now=facts.now))
        return found
