"""What people see: the face of a pull request, messages in the chat, answers to commands. None of it can stop a promotion.

The face is written only when it differs from what was written last: at once when the conclusion, the head or the promotion's state
changed; 15 seconds after the last time at the earliest when a gate's answer or a label did. While only the words move on (a value that is
measured again, the next of two approvals) it is written a minute after the last time at the earliest, and each further time twice as
long, so that a gate that is polled does not edit for ever. One that goes to and fro is shown 30 times an hour at most, and told of.
Messages go through the outbox: a chat that is down gets them later, once each.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.domain.action import EYES, Notify, Reply, Severity, Show
from bot.domain.errors import TransientError, UserError
from bot.domain.promotion import Promotion
from bot.messages import pulls as words
from bot.ports.outside import Chat
from bot.ports.store import STATE
from bot.reconcile import crash
from bot.reconcile.tools import Tools

log = structlog.get_logger("telling")

AT_MOST_EVERY = timedelta(seconds=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=10)
MOST_WRITES, WITHIN = 30, timedelta(hours=1)
"""An open promotion's face is written so often at most within this time; then it stands, and people are told."""
SOON, LATER = timedelta(seconds=10), timedelta(minutes=5)
COPY = "to:"
"""How the key of a copy begins; the receiver's name and the message's own key follow."""
SHOWN, FACE, WORDS, END, WRITES = "bot:shown", "bot:face", "bot:words", "bot:end", "bot:writes"
OURS = frozenset({SHOWN, FACE, WORDS, END, WRITES, STATE})
"""What stands in a binding beside the forge's own part."""


def show(tools: Tools, action: Show) -> datetime | None:
    """Bring the pull request's face up to date. The answer is when to look again, where writing now would be too often."""
    place, promotion = tools.place, action.promotion
    if promotion.number is None:
        return None
    pull = tools.history.pull(place.repository, promotion.number)
    if pull is None:
        tools.history.want_pulls(place.repository, [promotion.number])
        return tools.clock()
    head = promotion.head or pull.head
    wanted = _hash([head, action.comment, action.check_title, action.check_summary, action.conclusion, *sorted(action.labels)])
    face = _hash([head, action.conclusion, *sorted(action.labels), *action.steps])
    stored = tools.history.binding(promotion.id)
    bound = dict(stored[1]) if stored else _inherited(tools, action)
    now, state = tools.clock(), promotion.state.value
    if bound.get(SHOWN) == wanted:
        if stored and bound.get(STATE) != state:
            tools.history.save_binding(promotion.id, {**bound, STATE: state}, now=stored[0])
        return None
    end = _hash([head, state, action.conclusion])
    moved = int(bound.get(WORDS, "0")) if bound.get(FACE) == face else -1
    pause = _pause(moved) if moved >= 0 else AT_MOST_EVERY if FACE in bound and bound.get(END) == end else timedelta()
    if stored and now < stored[0] + pause:
        return stored[0] + pause
    writes = written(bound, now)
    if len(writes) >= MOST_WRITES and promotion.state.before_merge:
        notify(tools, _restless(promotion, action))
        return writes[0] + WITHIN
    result = tools.effects.step(
        crash.SHOWN,
        lambda: tools.forge.show(
            place.repository,
            replace(pull, head=head),
            comment=action.comment,
            check=place.check,
            conclusion=action.conclusion,
            title=action.check_title,
            summary=action.check_summary,
            labels=action.labels,
            bound={key: value for key, value in bound.items() if key not in OURS},
        ),
    )
    stamps = " ".join(at.isoformat() for at in (*writes, now))
    shown = {SHOWN: wanted, FACE: face, WORDS: str(moved + 1), END: end, STATE: state, WRITES: stamps}
    tools.history.save_binding(promotion.id, {**result, **shown}, now=now)
    return None


def _restless(promotion: Promotion, action: Show) -> Notify:
    """Told once for a promotion."""
    return Notify(
        key=f"{promotion.id}:restless",
        thread=promotion.id,
        severity=Severity.WARNING,
        stage=promotion.stage,
        service=promotion.name,
        text=words.restless(promotion, MOST_WRITES, action.check_title),
        fields={"pull request": promotion.url} if promotion.url else {},
    )


def written(bound: Mapping[str, str], now: datetime) -> list[datetime]:
    """When this face was written within the last hour, oldest first."""
    return [at for text in bound.get(WRITES, "").split() if now - (at := datetime.fromisoformat(text)) < WITHIN]


def _pause(moved: int) -> timedelta:
    """How long a face stands at least while only its words move on, when they have moved on so often since it last changed."""
    return min(FIRST_PAUSE * (1 << min(moved, 10)), LONGEST_PAUSE)


def show_soon(tools: Tools, promotion: Promotion) -> None:
    """Have the next change of words shown without a pause: a person spoke to the bot there, and looks at what comes of it."""
    _forget(tools, promotion, FACE)


def show_anew(tools: Tools, promotion: Promotion) -> None:
    """Have the check written once more although nothing in it changed: somebody asked for it, and sees by it that it was looked again."""
    _forget(tools, promotion, SHOWN, FACE, "check_hash")


def _forget(tools: Tools, promotion: Promotion, *keys: str) -> None:
    stored = tools.history.binding(promotion.id)
    if stored is not None and any(key in stored[1] for key in keys):
        tools.history.save_binding(promotion.id, {key: value for key, value in stored[1].items() if key not in keys}, now=tools.clock())


def pause_after(error: TransientError | UserError) -> timedelta:
    """How long to wait before something that failed so is tried again."""
    pause = error.retry_after if isinstance(error, TransientError) else LATER
    return pause or SOON


def _inherited(tools: Tools, action: Show) -> dict[str, str]:
    """A renewed promotion goes on in the same pull request: its comment is the one that stands there."""
    for other in tools.history.promotions(action.promotion.stage):
        if other.number == action.promotion.number and other.id != action.promotion.id:
            stored = tools.history.binding(other.id)
            if stored is not None:
                return {key: value for key, value in stored[1].items() if key not in OURS - {WRITES}}
    return {}


def _hash(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def notify(tools: Tools, action: Notify) -> None:
    """Keep the message, and try to post it; a chat that does not take it now gets it later."""
    if tools.outbox.put(action, now=tools.clock()):
        post(tools, action)


def post(tools: Tools, action: Notify) -> bool:
    """One try; True when it was taken. Without a chat it counts as taken. Whoever is told beside the chat has copies of his own.

    Of several processes one tries at a time: what another one has claimed is left to it.
    """
    if not tools.outbox.claim(action.key, now=tools.clock()):
        return False
    if action.key.startswith(COPY):
        return _tell(tools, action)
    if action.picture is None:
        copies(tools, action)
    now = tools.clock()
    reference = ""
    until = tools.quiet(action.severity.value, now) if tools.chat is not None else None
    if until is not None:
        tools.outbox.later(action.key, until)
        return False
    if tools.chat is not None:
        chat = tools.chat
        try:
            reference = tools.effects.step(crash.NOTIFIED, lambda: _into(chat, action))
        except Exception as error:
            return _not_taken(tools, action, "chat", error)
    tools.outbox.sent(action.key, reference, now=tools.clock())
    return True


def _not_taken(tools: Tools, action: Notify, receiver: str, error: Exception) -> bool:
    """It is tried again later, and given up after a day; a fault of our own in one message holds up no other."""
    if isinstance(error, TransientError | UserError):
        reason = str(error)
        log.warning("message.not_taken", receiver=receiver, key=action.key, reason=reason)
    else:
        reason = f"internal error: {type(error).__name__}"
        log.error("message.failed", receiver=receiver, key=action.key, exc_info=error)
    tools.outbox.failed(action.key, reason, now=tools.clock())
    return False


def _into(chat: Chat, action: Notify) -> str:
    severity, stage, service = action.severity.value, action.stage, action.service
    if action.picture is not None:
        return chat.post_picture(
            thread=action.thread, severity=severity, stage=stage, service=service, text=action.text, picture=action.picture
        )
    return chat.post(
        key=action.key,
        thread=action.thread,
        severity=severity,
        stage=stage,
        service=service,
        text=action.text,
        fields=action.fields,
    )


def copies(tools: Tools, action: Notify) -> None:
    """Keep one copy for each who is to be told beside the chat: each is tried by itself, by the housekeeping, never by a stage's run."""
    for name, teller in tools.others.items():
        if teller.wants(action):
            tools.outbox.put(replace(action, key=f"{COPY}{name}:{action.key}"), now=tools.clock())


def _tell(tools: Tools, action: Notify) -> bool:
    """One try to tell somebody beside the chat. Who stands in the configuration no more is told nothing more."""
    name, _, key = action.key.removeprefix(COPY).partition(":")
    teller = tools.others.get(name)
    now = tools.clock()
    if teller is not None:
        try:
            teller.tell(replace(action, key=key), now=now)
        except Exception as error:
            return _not_taken(tools, action, name, error)
    tools.outbox.sent(action.key, name if teller is not None else "", now=now)
    return True


def reply(tools: Tools, action: Reply) -> None:
    """Answer a command once: the reaction, and the comment where there is something to say."""
    repository = tools.place.repository
    about = action.about or str(action.comment_id)

    def do() -> str:
        if (action.node and action.reaction) or action.hide:
            tools.forge.settle(repository, action.node, action.reaction, instead_of=EYES, hide=action.hide)
        elif action.reaction and action.comment_id:
            tools.forge.react(repository, action.comment_id, action.reaction)
        if action.text:
            tools.forge.reply(repository, action.number, action.text, marker=f"reply:{about}")
        return "replied"

    key = f"reply:{repository}:{about}:{_hash([action.reaction, action.text])}"
    try:
        tools.effects.once(key, name=crash.REPLIED, look=lambda: None, do=do, kind=str)
    except UserError:
        return
