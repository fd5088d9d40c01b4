"""Takes commands from the chat: finds the forge's account behind the chat's user and the promotion that is meant, then asks the desk.

Decides whose command it is (only a tie that was proved or that an administrator wrote down) and which promotion. Everything after that
is the desk's, the same as for a comment or the command line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from bot.commands.model import Outcome, Surface
from bot.commands.shelf import verbs
from bot.config.schema import Config
from bot.domain.errors import TransientError, UserError
from bot.domain.heard import Heard
from bot.domain.people import Person
from bot.messages import slack_answer as words
from bot.planning.naming import named
from bot.ports import EffectJournal, History
from bot.reconcile.orders import Answer, Desk
from bot.reconcile.scenes import Said

log = structlog.get_logger("slack")


class Identities(Protocol):
    """Which account of the forge a chat's user is."""

    @property
    def linking(self) -> bool:
        """Can users tie their accounts by themselves?"""
        ...

    def person(self, team: str, user: str) -> Person | None:
        """None when nobody knows. Raises `UserError` where the tied account is gone, `TransientError` when it cannot be asked."""
        ...

    def link(self, team: str, user: str, word: str) -> str:
        """What `link` answers: the address to open, or with the word that stood there, that the tie is made."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer in Markdown, and whether it is a refusal."""

    text: str
    refused: bool = False


class ChatDesk:
    """Safe for several threads."""

    def __init__(self, config: Config, desk: Desk, history: History, people: Identities) -> None:
        self._config = config
        self._desk = desk
        self._history = history
        self._people = people

    def take(self, heard: Heard, lines: Sequence[str]) -> Told:
        """All lines of one saying, in order. Never raises for what a person did or the outside cannot say."""
        try:
            link = lines[0].split() if len(lines) == 1 else []
            if link and link[0].lower() == "link" and len(link) <= 2:
                return Told(text=self._people.link(heard.team, heard.user, link[1] if len(link) > 1 else ""))
            person = self._people.person(heard.team, heard.user)
        except (TransientError, UserError) as error:
            log.warning("slack.nobody", user=heard.user, team=heard.team, reason=error.what)
            return Told(text=words.unavailable(error.what), refused=True)
        if person is None:
            log.info("slack.not_linked", user=heard.user, team=heard.team)
            return Told(text=words.not_linked(linking=self._people.linking), refused=True)
        answers = [self._one(heard, line, person, place) for place, line in enumerate(lines, start=1)]
        text = "\n\n".join(answer.told for answer in answers if answer.told) or "Done."
        return Told(text=text, refused=any(answer.outcome is Outcome.REFUSED for answer in answers))

    def _one(self, heard: Heard, line: str, person: Person, place: int) -> Answer:
        stage, number = heard.stage, heard.number
        try:
            if number is None:
                promotions = {one.name: self._history.promotions(one.name) for one in self._config.pipeline.stages}
                meant = named(line, promotions, verbs())
                if meant.problem:
                    return Answer(outcome=Outcome.REFUSED, told=meant.problem)
                line, stage, number = meant.line, meant.stage, meant.number
            elif stage not in {one.name for one in self._config.pipeline.stages}:
                return Answer(outcome=Outcome.REFUSED, told="Nothing was done: the stage of this button is not configured any more.")
            key = heard.key if place == 1 else f"{heard.key}:{place}"
            said = Said(actor=person, at=heard.at, key=key, source="slack", stage=stage, number=number)
            return self._desk.run(line, said, surface=Surface.SLACK)
        except (TransientError, UserError) as error:
            return Answer(outcome=Outcome.REFUSED, told=words.unavailable(error.what))


def once(journal: EffectJournal, heard: Heard, clock: Callable[[], datetime]) -> bool:
    """True the first time that this saying comes by, over all processes: retries and replays change nothing twice."""
    state, _ = journal.begin(f"slack:{heard.key}", "slack", now=clock())
    return state == "new"
