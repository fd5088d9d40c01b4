"""Gathers what a command may look at: the stages with their services as last recorded, the pull request, the orders that stand.

Decides nothing; reads the database, and the heads of the bot's own clones. No call of the forge is spent here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.commands.scene import Place, Scene, ServiceAt, Subject
from bot.config.schema import Config
from bot.domain.directive import Directive
from bot.domain.errors import BotError
from bot.domain.people import Person
from bot.domain.promotion import Move, Promotion, PromotionState
from bot.domain.pull import PullRequest, PullState
from bot.domain.release import Release, same_release
from bot.ports import History, Repositories

MERGED_STATES = (PromotionState.MERGED, PromotionState.HEALTHY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One saying: who, when, under which key, by which way, and about which pull request of which stage, if any."""

    actor: Person
    at: datetime
    key: str
    source: str = "command"
    stage: str = ""
    number: int | None = None


class Scenes:
    """Builds scenes."""

    def __init__(self, config: Config, history: History, repositories: Repositories) -> None:
        self._config = config
        self._history = history
        self._repositories = repositories

    def of(self, said: Said, *, key: str, now: datetime) -> Scene:
        """The scene of one command, as things stand now."""
        promotions = {stage.name: tuple(self._history.promotions(stage.name)) for stage in self._config.pipeline.stages}
        found: dict[str, Directive] = {}
        for stage in promotions:
            found.update({order.key: order for order in self._history.directives(stage)})
        return Scene(
            actor=said.actor,
            at=said.at,
            now=now,
            key=key,
            source=said.source,
            places={name: self._place(name, promotions[name]) for name in promotions},
            subject=self._subject(said, promotions),
            quarantines=tuple(self._history.quarantines()),
            directives=tuple(sorted(found.values(), key=lambda order: (order.at, order.key))),
        )

    def promotion(self, stage: str, number: int) -> Promotion | None:
        """The newest promotion of this pull request."""
        return newest(self._history.promotions(stage), number)

    def _place(self, name: str, promotions: tuple[Promotion, ...]) -> Place:
        stage = self._config.stage(name)
        return Place(
            stage=name,
            after=stage.after,
            before=self._config.downstreams(name),
            merge=stage.merge,
            services=self._services(name, promotions),
            gates={gate.label: not gate.hard for gate in stage.gates},
            holds=tuple(self._history.stage_holds(name)),
        )

    def _services(self, stage: str, promotions: tuple[Promotion, ...]) -> dict[str, ServiceAt]:
        found = {}
        for name, health in self._history.health(stage).items():
            if health.release is None:
                continue
            mine = [one for one in promotions if name in one.services]
            last = next((one for one in reversed(mine) if one.state in MERGED_STATES and _brought(one, name, health.release)), None)
            under_way = next((one for one in mine if one.state.before_merge), None)
            found[name] = ServiceAt(
                version=version(health.release),
                text=health.release.text,
                before=version(_move(last, name).old) if last is not None else "",
                number=under_way.number if under_way is not None else None,
                url=under_way.url if under_way is not None else "",
                into=version(_move(under_way, name).new) if under_way is not None else "",
                by_promotion=last is not None,
            )
        return found

    def _subject(self, said: Said, promotions: Mapping[str, tuple[Promotion, ...]]) -> Subject | None:
        if said.number is None or said.stage not in promotions:
            return None
        promotion = newest(promotions[said.stage], said.number)
        if promotion is None:
            return None
        stage = self._config.stage(said.stage)
        pull = self._history.pull(stage.repository, said.number)
        try:
            stage_head = self._repositories.heads(stage.repository).get(stage.branch, "")
        except BotError:
            stage_head = ""
        return _about(promotion, pull, stage_head)


def _about(promotion: Promotion, pull: PullRequest | None, stage_head: str) -> Subject:
    return Subject(
        number=promotion.number or 0,
        stage=promotion.stage,
        name=promotion.name,
        services={move.service: version(move.new) for move in promotion.moves},
        head=pull.head if pull is not None else promotion.head,
        head_since=pull.head_since if pull is not None else None,
        stage_head=stage_head,
        base=promotion.base,
        open=promotion.state is PromotionState.OPEN and (pull is None or pull.state is PullState.OPEN),
        merged=promotion.state in MERGED_STATES,
        healthy=promotion.state is PromotionState.HEALTHY,
        taken_over=bool(promotion.taken_over_by),
    )


def newest(promotions: Sequence[Promotion], number: int) -> Promotion | None:
    """Of the promotions that one pull request carried, the one in flight, else the last."""
    found = [one for one in promotions if one.number == number]
    return next((one for one in found if one.state.in_flight), found[-1] if found else None)


def version(release: Release) -> str:
    """A release as people type it: the tag where there is one."""
    return release.main.tag or str(release.main)


def _move(promotion: Promotion, service: str) -> Move:
    return next(move for move in promotion.moves if move.service == service)


def _brought(promotion: Promotion, service: str, release: Release) -> bool:
    return any(move.service == service and same_release(move.new, release) for move in promotion.moves)
