"""Reads what people wrote on a stage's pull requests since the last look, and has the desk carry it out: comments, reviews, labels.

Level-triggered: the pull request as last read says what was said; each saying is handled once (its key), so a lost or doubled event
changes nothing. Decides what counts as said: not our own words, not an edited comment, not another bot's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.commands.grammar import MOST, Address, address_of, read
from bot.commands.model import Outcome, Surface
from bot.commands.shelf import verbs
from bot.domain.action import EYES, Reply
from bot.domain.errors import TransientError, UserError
from bot.domain.facts import Facts
from bot.domain.people import Person
from bot.domain.pull import Comment, PullRequest
from bot.messages import commands as answers
from bot.messages import refusals as words
from bot.planning.authorise import listed
from bot.reconcile import crash, labelling, pressing, telling
from bot.reconcile.orders import PER_MINUTE, Answer, Desk
from bot.reconcile.scenes import Said
from bot.reconcile.tools import Tools

log = structlog.get_logger("orders")

MINUTE = timedelta(minutes=1)
HELP, HELP_STANDS = ":help", timedelta(days=1)
"""How the name of an answer to `help` ends, and how long it stands."""
ANSWER = "<!-- promotion-bot:reply:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A comment or review that may hold commands. `comment` and `node` are its ids where it can be reacted to, else 0 and empty."""

    key: str
    actor: Person
    at: datetime
    body: str
    comment: int = 0
    node: str = ""
    via_app: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """`anything`: something was carried out, so the facts must be gathered again; `look_again` (UTC): an answer could not be given yet."""

    anything: bool = False
    look_again: datetime | None = None


class Listener:
    """Remembers what was handled, so that a look at the database is spent once per saying and process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._address = Address()
        self._handled: set[str] = set()

    def listen(self, tools: Tools, facts: Facts) -> Heard:
        """Carry out what is new on the pull requests of these facts."""
        anything = False
        again: datetime | None = None
        mine = {promotion.number for promotion in facts.promotions}
        people = self._desk.config.people
        self._address = address_of(tools.forge.identity(), prefixes=people.prefixes, bare=people.bare_aliases)
        for pull in facts.pulls.values():
            if pull.number not in mine:
                continue
            for saying in self._new(tools, pull):
                try:
                    anything |= self._handle(tools, facts.stage, pull, saying)
                except (TransientError, UserError) as error:
                    log.warning("command.put_off", key=saying.key, reason=error.what)
                    again = tools.clock() + telling.pause_after(error)
            self._fold(tools, pull)
            anything |= labelling.take(tools, self._desk, facts.stage, pull)
        pressed, later = pressing.take(tools, self._desk, facts.stage, facts.promotions)
        anything |= pressed
        again = again or later
        return Heard(anything=anything, look_again=again)

    def _new(self, tools: Tools, pull: PullRequest) -> Iterator[Saying]:
        for saying in sayings(pull):
            if saying.key in self._handled or not self._address.may_stand_in(saying.body):
                continue
            if tools.effects.known(f"answered:{saying.key}"):
                self._handled.add(saying.key)
                continue
            yield saying

    def _handle(self, tools: Tools, stage: str, pull: PullRequest, saying: Saying) -> bool:
        reading = read(saying.body, verbs(), address=self._address)
        if not reading.calls or (saying.actor.bot and not self._listed(saying.actor, stage)):
            self._handled.add(saying.key)
            return False
        given = earlier(pull, saying, self._address)
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
        self._seen(tools, saying)
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
        refused = any(answer.outcome is Outcome.REFUSED for answer in taken) or bool(reading.left_out)
        if refused:
            text = f"{words.reader(saying.actor.login)} {text}"
        telling.reply(
            tools,
            Reply(
                number=pull.number,
                comment_id=saying.comment,
                reaction=reaction(taken),
                text=text,
                about=f"{saying.key}{HELP}" if {answer.verb for answer in taken} == {"help"} else saying.key,
                node=saying.node,
                hide=() if refused else tuple(one.node_id for one in refusals(pull, saying.actor.login)),
            ),
        )
        self._done(tools, saying.key)
        heard = any(answer.orders or answer.outcome is Outcome.ASKED for answer in taken)
        for promotion in tools.history.promotions(stage) if heard else ():
            if promotion.number == pull.number and promotion.state.in_flight:
                telling.show_soon(tools, promotion)
        return heard

    def _seen(self, tools: Tools, saying: Saying) -> None:
        """The first sign, before rights are asked for: at most one call a saying and process, and one that may fail."""
        key = f"seen:{saying.key}"
        if not saying.comment or key in self._handled:
            return
        self._handled.add(key)
        try:
            tools.forge.react(tools.place.repository, saying.comment, EYES)
        except (TransientError, UserError) as error:
            log.info("command.not_seen", key=saying.key, reason=error.what)

    def _fold(self, tools: Tools, pull: PullRequest) -> None:
        """Fold the answers to `help` once they are a day old."""
        old = tools.clock() - HELP_STANDS
        found = [one for one in pull.comments if one.ours and not one.folded and f"{HELP} -->" in one.body and one.created_at < old]
        found = [one for one in found if f"folded:{one.id}" not in self._handled]
        if not found:
            return
        try:
            tools.forge.settle(tools.place.repository, "", "", instead_of="", hide=[one.node_id for one in found])
        except (TransientError, UserError) as error:
            log.info("answer.not_folded", number=pull.number, reason=error.what)
        self._handled |= {f"folded:{one.id}" for one in found}

    def _listed(self, actor: Person, stage: str) -> bool:
        """Other bots are not even answered, lest two of them talk for ever; those that are listed are taken for people."""
        return listed(self._desk.config, actor, self._desk.rights.of(actor, [stage]))

    def _done(self, tools: Tools, key: str) -> None:
        tools.effects.once(f"answered:{key}", name=crash.REPLIED, look=lambda: True, do=lambda: True, kind=bool)
        self._handled.add(key)


def sayings(pull: PullRequest) -> list[Saying]:
    """Everything on a pull request that may hold a command, oldest first. An edited comment never does: who edited it is not known."""
    found = [
        Saying(
            key=f"comment:{one.id}",
            actor=one.author,
            at=one.created_at,
            body=one.body,
            comment=one.id,
            node=one.node_id,
            via_app=one.via_app,
        )
        for one in pull.comments
        if not one.ours and not one.edited and one.author.id
    ]
    found += [
        Saying(key=f"review:{one.id}", actor=one.author, at=one.submitted_at, body=one.body)
        for one in pull.reviews
        if one.body and one.author.id
    ]
    return sorted(found, key=lambda saying: (saying.at, saying.key))


def refusals(pull: PullRequest, login: str) -> list[Comment]:
    """Our answers to this person that refused something and are not folded yet: the next command that works settles them."""
    told = f"{words.reader(login)} "
    return [one for one in pull.comments if one.ours and not one.folded and one.body.startswith(told) and ANSWER in one.body]


def earlier(pull: PullRequest, saying: Saying, address: Address) -> int:
    """How many sayings with commands the same account made on this pull request within the minute before."""
    return sum(
        1
        for other in sayings(pull)
        if other.actor.id == saying.actor.id
        and (other.at, other.key) < (saying.at, saying.key)
        and saying.at - other.at < MINUTE
        and address.may_stand_in(other.body)
    )


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
