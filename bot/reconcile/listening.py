"""Reads what people wrote on a stage's pull requests since the last look, and has the desk carry it out: comments, reviews, labels.

Level-triggered: the pull request as last read says what was said; each saying is handled once (its key), so a lost or doubled event
changes nothing. Decides what counts as said: not our own words, not an edited comment, not another bot's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.commands.grammar import MOST, read
from bot.commands.model import Outcome, Surface
from bot.commands.shelf import verbs
from bot.domain.action import Reply
from bot.domain.errors import TransientError, UserError
from bot.domain.facts import Facts
from bot.domain.people import Person
from bot.domain.pull import PullRequest
from bot.messages import commands as answers
from bot.messages import refusals as words
from bot.planning.authorise import listed
from bot.reconcile import crash, labelling, pressing, telling
from bot.reconcile.orders import PER_MINUTE, Answer, Desk
from bot.reconcile.scenes import Said
from bot.reconcile.tools import Tools

log = structlog.get_logger("orders")

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A comment or review that may hold commands. `comment` is its id where it can be reacted to, else 0."""

    key: str
    actor: Person
    at: datetime
    body: str
    comment: int = 0
    via_app: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """`anything`: something was carried out, so the facts must be gathered again; `look_again` (UTC): an answer could not be given yet."""

    anything: bool = False
    look_again: datetime | None = None


class Listener:
    """Remembers what was handled, so that a look at the database is spent once per saying and process."""

    def __init__(self, desk: Desk, *, prefixes: tuple[str, ...] = ("/promote",)) -> None:
        self._desk = desk
        self._prefixes = prefixes
        self._handled: set[str] = set()

    def listen(self, tools: Tools, facts: Facts) -> Heard:
        """Carry out what is new on the pull requests of these facts."""
        anything = False
        again: datetime | None = None
        mine = {promotion.number for promotion in facts.promotions}
        for pull in facts.pulls.values():
            if pull.number not in mine:
                continue
            for saying in self._new(tools, pull):
                try:
                    anything |= self._handle(tools, facts.stage, pull, saying)
                except (TransientError, UserError) as error:
                    log.warning("command.put_off", key=saying.key, reason=error.what)
                    again = tools.clock() + telling.pause_after(error)
            anything |= labelling.take(tools, self._desk, facts.stage, pull)
        pressed, later = pressing.take(tools, self._desk, facts.stage, facts.promotions)
        anything |= pressed
        again = again or later
        return Heard(anything=anything, look_again=again)

    def _new(self, tools: Tools, pull: PullRequest) -> Iterator[Saying]:
        for saying in sayings(pull):
            if saying.key in self._handled or not _may_hold(saying.body, self._prefixes):
                continue
            if tools.effects.known(f"answered:{saying.key}"):
                self._handled.add(saying.key)
                continue
            yield saying

    def _handle(self, tools: Tools, stage: str, pull: PullRequest, saying: Saying) -> bool:
        reading = read(saying.body, verbs(), prefixes=self._prefixes)
        if not reading.calls or (saying.actor.bot and not self._listed(saying.actor, stage)):
            self._handled.add(saying.key)
            return False
        given = earlier(pull, saying, self._prefixes)
        if given >= PER_MINUTE:
            log.warning("command.too_often", actor=saying.actor.login, number=pull.number, before=given)
            if given < 2 * PER_MINUTE:
                telling.reply(tools, Reply(number=pull.number, comment_id=saying.comment, reaction="confused", about=saying.key))
            self._done(tools, saying.key)
            return False
        app = tools.forge.via_app(tools.place.repository, saying.comment) if saying.via_app else ""
        if app and f"{app}[bot]" not in {user for user in self._desk.config.people.bots if isinstance(user, str)}:
            text = f"{words.reader(saying.actor.login)} {words.by_app(app)}"
            telling.reply(tools, Reply(number=pull.number, comment_id=saying.comment, reaction="confused", text=text, about=saying.key))
            self._done(tools, saying.key)
            return False
        said = Said(actor=saying.actor, at=saying.at, key=saying.key, stage=stage, number=pull.number)
        taken = tools.effects.once(
            f"ordered:{saying.key}",
            name=crash.ORDERED,
            look=lambda: None,
            do=lambda: [self._desk.take(call, said, surface=Surface.PR) for call in reading.calls],
            kind=list[Answer],
        )
        text = told(taken)
        if reading.left_out:
            text = answers.joined([text, words.too_many(reading.left_out, MOST)])
        if any(answer.outcome is Outcome.REFUSED for answer in taken) or reading.left_out:
            text = f"{words.reader(saying.actor.login)} {text}"
        telling.reply(tools, Reply(number=pull.number, comment_id=saying.comment, reaction=reaction(taken), text=text, about=saying.key))
        self._done(tools, saying.key)
        return any(answer.orders or answer.outcome is Outcome.ASKED for answer in taken)

    def _listed(self, actor: Person, stage: str) -> bool:
        """Other bots are not even answered, lest two of them talk for ever; those that are listed are taken for people."""
        return listed(self._desk.config, actor, self._desk.rights.of(actor, [stage]))

    def _done(self, tools: Tools, key: str) -> None:
        tools.effects.once(f"answered:{key}", name=crash.REPLIED, look=lambda: True, do=lambda: True, kind=bool)
        self._handled.add(key)


def sayings(pull: PullRequest) -> list[Saying]:
    """Everything on a pull request that may hold a command, oldest first. An edited comment never does: who edited it is not known."""
    found = [
        Saying(key=f"comment:{one.id}", actor=one.author, at=one.created_at, body=one.body, comment=one.id, via_app=one.via_app)
        for one in pull.comments
        if not one.ours and not one.edited and one.author.id
    ]
    found += [
        Saying(key=f"review:{one.id}", actor=one.author, at=one.submitted_at, body=one.body)
        for one in pull.reviews
        if one.body and one.author.id
    ]
    return sorted(found, key=lambda saying: (saying.at, saying.key))


def earlier(pull: PullRequest, saying: Saying, prefixes: tuple[str, ...]) -> int:
    """How many sayings with commands the same account made on this pull request within the minute before."""
    return sum(
        1
        for other in sayings(pull)
        if other.actor.id == saying.actor.id
        and (other.at, other.key) < (saying.at, saying.key)
        and saying.at - other.at < MINUTE
        and _may_hold(other.body, prefixes)
    )


def _may_hold(body: str, prefixes: tuple[str, ...]) -> bool:
    lowered = body.lower()
    return any(prefix.lower() in lowered for prefix in prefixes)


def told(taken: Sequence[Answer]) -> str:
    """One reply for all commands of a comment: refusals and what was asked for. What was simply done needs no words."""
    return answers.joined([answer.told for answer in taken if answer.outcome in (Outcome.REFUSED, Outcome.ASKED)])


def reaction(taken: Sequence[Answer]) -> str:
    """The worst of what became of a comment's commands."""
    for outcome in (Outcome.REFUSED, Outcome.DONE):
        for answer in taken:
            if answer.outcome is outcome:
                return answer.reaction
    return taken[0].reaction if taken else ""
