"""Answers the commands that only ask, from the plan of the stages and from rights. Changes nothing.

Decides which facts an answer needs; the words are `messages.commands`'.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.commands.grammar import by_name
from bot.commands.model import Effect, Surface
from bot.commands.shelf import verbs
from bot.config.schema import Config
from bot.messages import commands as words
from bot.messages.words import listing
from bot.planning.authorise import Rights, Target, authorize, role_in, source_of
from bot.planning.standing import Plan, Report, Standing
from bot.reconcile.scenes import Said

UNDER_WAY = (Standing.OPEN, Standing.ROLLING_OUT, Standing.READY, Standing.WAITING, Standing.HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question: what, by whom, where."""

    effect: Effect
    said: Said
    surface: Surface


class Questions:
    """`plan` says what the bot would do in a stage now; `pulse` how the bot itself is."""

    def __init__(
        self,
        config: Config,
        *,
        plan: Callable[[str], Plan],
        pulse: Callable[[], Mapping[str, str]],
        places: Mapping[str, str] | None = None,
    ) -> None:
        self._config = config
        self._plan = plan
        self._pulse = pulse
        self._places = places or {}

    def answer(self, asked: Asked, rights: Mapping[str, Rights]) -> str:
        """The answer in Markdown; empty where looking again is the answer."""
        effect, said = asked.effect, asked.said
        match effect.query:
            case "help":
                return self._help(asked, rights)
            case "why":
                return self._why(effect, said)
            case "status":
                return "" if asked.surface is Surface.PR else self._board(effect, said, rights)
            case "queue":
                stage = effect.stages[0]
                return words.queue(stage, [report for report in self._plan(stage).reports if report.standing in UNDER_WAY])
            case "whoami":
                return words.whoami(said.actor.login, said.actor.id, self._roles(said, rights))
            case "link":
                return words.linked(said.actor.login, said.actor.id)
            case "ping":
                return words.pulse(self._pulse())
            case _:
                return ""

    def _help(self, asked: Asked, rights: Mapping[str, Rights]) -> str:
        said, name = asked.said, asked.effect.subject
        if name:
            known = by_name(verbs()).get(name)
            return words.help_one(known.spec) if known is not None else words.no_command(name)
        stages = (said.stage,) if said.stage else tuple(rights)
        allowed = [
            verb.spec
            for verb in verbs().values()
            if asked.surface in verb.spec.surfaces
            and any(authorize(self._config, said.actor, verb.spec, Target(stages=(stage,)), rights).allowed for stage in stages)
        ]
        return words.help_all(allowed, where=f"in {said.stage}" if said.stage else "here")

    def _why(self, effect: Effect, said: Said) -> str:
        stage = effect.stages[0]
        plan = self._plan(stage)
        found = next((report for report in plan.reports if _fits(report, effect, said)), None)
        if found is None:
            known = listing(sorted({report.service for report in plan.reports})) or "none"
            return f"There is nothing to tell of {effect.subject or 'this pull request'} in {stage}. Services there: {known}."
        return words.why(replace(found, verdicts=found.verdicts), effect.gate)

    def _board(self, effect: Effect, said: Said, rights: Mapping[str, Rights]) -> str:
        asked = effect.stages or tuple(rights)
        visible = [stage for stage in asked if role_in(self._config, said.actor, stage, rights[stage]) is not None]
        reports = [report for stage in visible for report in self._plan(stage).reports if effect.subject in ("", report.service)]
        return words.board(reports)

    def _roles(self, said: Said, rights: Mapping[str, Rights]) -> list[tuple[str, str, str]]:
        rows = []
        for stage, known in rights.items():
            role = role_in(self._config, said.actor, stage, known)
            if known.problem:
                rows.append((stage, "unknown", known.problem))
            elif role is None:
                rows.append((stage, "none", f"no right to read {self._config.stage(stage).repository}"))
            elif role.rank == 0:
                rows.append((stage, role.value, f"{known.permission} on {self._config.stage(stage).repository}"))
            else:
                source, group = source_of(self._config, role, stage)
                origin = self._places.get(source, source) or "default"
                rows.append((stage, role.value, f"{listing([name.removeprefix('@') for name in group.names()])}, {origin}"))
        return rows


def _fits(report: Report, effect: Effect, said: Said) -> bool:
    if effect.subject:
        return report.service == effect.subject
    return said.number is not None and report.number == said.number
