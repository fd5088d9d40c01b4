"""Labels as input: `promotion:hold`, `promotion:disabled`, and where the stage allows it `promotion:approve`.

A label that a person puts on counts as that person's command, through the same desk as a comment; one that a bot or somebody who may not
put on is taken off again with one sentence. One that is taken off takes the order back, where whoever did it may; else it is put on again.
The bot puts on `promotion:hold` and `promotion:disabled` itself where the order came in another way; where no order stands any more (it was
taken back by a command, it ran out, the head moved on from an approval), the label comes off.
"""

from dataclasses import dataclass

import structlog

from bot.commands.model import Call, Outcome, Surface
from bot.domain.action import Reply
from bot.domain.directive import Directive, Order
from bot.domain.errors import TransientError, UserError
from bot.domain.pull import LabelEvent, PullRequest, PullState
from bot.messages import refusals as words
from bot.reconcile import crash, telling
from bot.reconcile.orders import Answer, Desk
from bot.reconcile.patience import may_change_back
from bot.reconcile.scenes import Said
from bot.reconcile.tools import Tools

log = structlog.get_logger("orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A label that is an order: the command that putting it on means, and the one that taking it off means.

    `shown`: the bot itself puts it on where the order was given in another way.
    """

    label: str
    order: Order
    on: Call
    off: Call
    shown: bool = True


INPUTS = (
    Input(
        label="promotion:hold",
        order=Order.HOLD,
        on=Call(verb="hold", flags={"reason": "the label promotion:hold"}, text="hold"),
        off=Call(verb="unhold", text="unhold"),
    ),
    Input(
        label="promotion:disabled",
        order=Order.DISABLE,
        on=Call(verb="disable", text="disable"),
        off=Call(verb="enable", text="enable"),
    ),
    Input(
        label="promotion:approve",
        order=Order.APPROVE,
        on=Call(verb="approve", text="approve"),
        off=Call(verb="unapprove", text="unapprove"),
        shown=False,
    ),
)
APPROVE = "promotion:approve"
STATES = ("waiting", "blocked", "ready", "merging", "merged", "failed", "superseded")
OURS = frozenset(f"promotion:{word}" for word in (*STATES, "frozen", "override", "rollback"))
"""Labels that the bot alone puts on: they tell, and mean nothing to any gate."""


def take(tools: Tools, desk: Desk, stage: str, pull: PullRequest) -> bool:
    """Carry out what the labels of an open pull request say; True when an order was stored or taken back."""
    if pull.state is not PullState.OPEN:
        return False
    _tidy(tools, stage, pull)
    changed = False
    for one in INPUTS:
        if one.label == APPROVE and not desk.config.stage(stage).labels_as_input:
            continue
        try:
            put = pull.labels.get(one.label)
            if put is not None:
                changed |= _on(tools, desk, stage, pull, one, put)
            elif one.label not in pull.labels:
                changed |= _off(tools, desk, stage, pull, one)
        except (TransientError, UserError) as error:
            log.warning("label.put_off", label=one.label, number=pull.number, reason=error.what)
    return changed


def _tidy(tools: Tools, stage: str, pull: PullRequest) -> None:
    """Take off a label of ours that somebody else put on, unless it is one that we ourselves show just now."""
    us = tools.forge.identity()
    strange = [name for name, event in pull.labels.items() if name in OURS and event is not None and event.actor.login != us]
    if not strange:
        return
    for name in sorted(set(strange) - _shown(tools, stage, pull)):
        event = pull.labels[name]
        if event is None or not may_change_back(tools, stage, pull, name, event):
            continue
        try:
            tools.forge.remove_label(tools.place.repository, pull.number, name)
            tools.history.want_pulls(tools.place.repository, [pull.number])
            _tell_why(tools, pull, name)
        except (TransientError, UserError) as error:
            log.warning("label.put_off", label=name, number=pull.number, reason=error.what)


def _tell_why(tools: Tools, pull: PullRequest, name: str) -> None:
    """One sentence to the person who put our label on; other bots are not spoken to."""
    event = pull.labels[name]
    if event is None or event.actor.bot or not event.actor.id:
        return
    text = f"{words.reader(event.actor.login)} {words.label_is_output(name)}"
    about = f"label:{pull.repository}:{pull.number}:{name}:{event.at.isoformat()}"
    telling.reply(tools, Reply(number=pull.number, comment_id=0, reaction="", text=text, about=about))


def _shown(tools: Tools, stage: str, pull: PullRequest) -> set[str]:
    """The labels that we show on this pull request, as we wrote them last."""
    bound = [tools.history.binding(one.id) for one in tools.history.promotions(stage) if one.number == pull.number]
    return {name for stored in bound if stored is not None for name in stored[1].get("labels", "").split("\n")}


def _key(pull: PullRequest, one: Input, event: LabelEvent) -> str:
    return f"label:{pull.repository}:{pull.number}:{one.label}:{event.at.isoformat()}"


def _on(tools: Tools, desk: Desk, stage: str, pull: PullRequest, one: Input, event: LabelEvent) -> bool:
    key = _key(pull, one, event)
    if event.actor.login == tools.forge.identity():
        return False
    if tools.effects.known(f"answered:{key}"):
        stale = not _standing(tools, stage, pull, one) and one.label not in _shown(tools, stage, pull)
        if stale and may_change_back(tools, stage, pull, one.label, event):
            tools.forge.remove_label(tools.place.repository, pull.number, one.label)
            tools.history.want_pulls(tools.place.repository, [pull.number])
        return False
    answer = _order(tools, desk, stage, pull, one.on, event, key)
    if answer.outcome is Outcome.REFUSED and may_change_back(tools, stage, pull, one.label, event):
        tools.forge.remove_label(tools.place.repository, pull.number, one.label)
        _say(tools, pull, one, event, words.label_refused(one.label, answer.told))
        tools.history.want_pulls(tools.place.repository, [pull.number])
    _done(tools, key)
    return bool(answer.orders)


def _off(tools: Tools, desk: Desk, stage: str, pull: PullRequest, one: Input) -> bool:
    """The label is gone while what it tells of still stands."""
    standing = _standing(tools, stage, pull, one)
    event = pull.unlabelled.get(one.label)
    if not standing or event is None or event.at < standing[-1].at:
        return False
    key = f"{_key(pull, one, event)}:off:{event.actor.id}"
    if event.actor.login == tools.forge.identity() or tools.effects.known(f"answered:{key}"):
        return False
    answer = _order(tools, desk, stage, pull, one.off, event, key)
    refused = answer.outcome is Outcome.REFUSED
    back = refused or (one.shown and bool(_standing(tools, stage, pull, one)))
    if back and may_change_back(tools, stage, pull, one.label, event):
        tools.forge.add_labels(tools.place.repository, pull.number, [one.label])
        tools.history.want_pulls(tools.place.repository, [pull.number])
        if refused:
            _say(tools, pull, one, event, words.label_again(one.label, answer.told))
    _done(tools, key)
    return bool(answer.orders)


def _standing(tools: Tools, stage: str, pull: PullRequest, one: Input) -> list[Directive]:
    """The orders that the label tells of, oldest first; of approvals those that a label gave, for the present head."""
    now = tools.clock()
    found = [
        order
        for order in tools.history.directives(stage)
        if order.order is one.order
        and (order.stage, order.number) == (stage, pull.number)
        and order.active(now)
        and (one.shown or (order.source == "label" and order.head == pull.head))
    ]
    return sorted(found, key=lambda order: (order.at, order.key))


def _say(tools: Tools, pull: PullRequest, one: Input, event: LabelEvent, sentence: str) -> None:
    """One sentence to whoever did it; to another program only once, lest the two of them talk for ever."""
    about = f"{_prefix(pull, one)}{event.actor.id if event.actor.bot else event.at.isoformat()}"
    text = f"{words.reader(event.actor.login)} {sentence}"
    telling.reply(tools, Reply(number=pull.number, comment_id=0, reaction="", text=text, about=about))


def _prefix(pull: PullRequest, one: Input) -> str:
    return f"label:{pull.repository}:{pull.number}:{one.label}:"


def _order(tools: Tools, desk: Desk, stage: str, pull: PullRequest, call: Call, event: LabelEvent, key: str) -> Answer:
    said = Said(actor=event.actor, at=event.at, key=key, source="label", stage=stage, number=pull.number)
    return tools.effects.once(
        f"ordered:{key}", name="ordered", look=lambda: None, do=lambda: desk.take(call, said, surface=Surface.PR), kind=Answer
    )


def _done(tools: Tools, key: str) -> None:
    tools.effects.once(f"answered:{key}", name=crash.REPLIED, look=lambda: True, do=lambda: True, kind=bool)
