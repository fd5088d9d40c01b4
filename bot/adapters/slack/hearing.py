"""Slack's ears: one slack-bolt app with the same handlers for HTTP and for Socket Mode.

Decides what a command or a click says (`Heard` and its lines), and that it is acknowledged before anything is done about it. Whether the
request is Slack's was checked by the hook or is Socket Mode's own; who may do what is the desk's.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Protocol

import structlog
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack import Ack
from slack_sdk import WebClient

from bot.adapters.slack.answering import Answering
from bot.adapters.slack.membership import Members
from bot.domain.errors import BotError, TransientError, UserError
from bot.domain.heard import Heard
from bot.messages import slack_answer, slack_buttons, slack_reason

log = structlog.get_logger("slack")

COMMAND = "/promote"
DOUBLE_CLICK_SECONDS = 3.0
LONGEST_LINE = 3_000
MOST_WAITING = 200


class Told(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def refused(self) -> bool: ...


Take = Callable[[Heard, Sequence[str]], Told]
First = Callable[[Heard], bool]


class Hearing:
    """The app and its work. `take` carries lines out, `first` says whether a saying comes by for the first time."""

    def __init__(self, members: Members, answering: Answering, *, take: Take, first: First, clock: Callable[[], datetime]) -> None:
        self._members = members
        self._answering = answering
        self._take = take
        self._first = first
        self._clock = clock
        self._work = ThreadPoolExecutor(max_workers=4, thread_name_prefix="slack-work")
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._one_by_one = threading.Lock()
        self._clicks: dict[tuple[str, str, str], float] = {}
        self.app = App(
            client=WebClient(),
            authorize=_authorize,
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,
            token_verification_enabled=False,
            process_before_response=False,
        )
        self.app.command(COMMAND)(self._command)
        for action in slack_buttons.ACTIONS:
            self.app.action(action)(self._pressed)
        self.app.action(slack_buttons.LINK)(_nothing)
        self.app.view(slack_reason.CALLBACK)(self._given)

    def close(self) -> None:
        """End what is under way; nothing new is begun."""
        self._work.shutdown(wait=True, cancel_futures=True)

    def _command(self, ack: Ack, body: dict[str, Any]) -> None:
        line = str(body.get("text") or "").strip()
        heard = Heard(
            team=str(body.get("team_id") or ""),
            user=str(body.get("user_id") or ""),
            line=line,
            key=f"command:{body.get('trigger_id')}",
            at=self._clock(),
        )
        place = {"url": str(body.get("response_url") or ""), "channel": str(body.get("channel_id") or ""), "user": heard.user}
        self._begin(ack, heard, [line] if len(line) <= LONGEST_LINE else [line[:LONGEST_LINE]], place, known=bool(body.get("trigger_id")))

    def _pressed(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        user = _map(body.get("user"))
        value = str(action.get("value") or "")
        pressed = slack_buttons.read(value)
        lines = slack_buttons.lines(str(action.get("action_id")), pressed) if pressed is not None else ()
        stamp = str(action.get("action_ts") or "")
        heard = Heard(
            team=str(user.get("team_id") or _map(body.get("team")).get("id") or ""),
            user=str(user.get("id") or ""),
            line="; ".join(lines),
            key=f"button:{body.get('trigger_id') or stamp}",
            at=self._clock(),
            stage=pressed.stage if pressed is not None else "",
            number=pressed.number if pressed is not None else None,
        )
        container = _map(body.get("container"))
        place = {
            "url": str(body.get("response_url") or ""),
            "channel": str(_map(body.get("channel")).get("id") or container.get("channel_id") or ""),
            "user": heard.user,
            "thread": str(container.get("thread_ts") or ""),
        }
        if lines and self._double((heard.user, str(action.get("action_id")), value)):
            ack()
            return
        known = bool(lines) and bool(body.get("trigger_id") or stamp)
        view = slack_reason.window(str(action.get("action_id")), value, channel=place["channel"], thread=place["thread"])
        if known and view is not None and body.get("trigger_id"):
            place["trigger"] = str(body["trigger_id"])
            self._begin(ack, heard, lines, place, known=True, view=view)
            return
        self._begin(ack, heard, lines, place, known=known)

    def _given(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """A window was sent: the same as the button that opened it, with the reason."""
        user, given = _map(body.get("user")), slack_reason.read(view)
        if given is None:
            ack(response_action="errors", errors={slack_reason.BLOCK: "Say why in a few words."})
            return
        heard = Heard(
            team=str(user.get("team_id") or _map(body.get("team")).get("id") or ""),
            user=str(user.get("id") or ""),
            line="; ".join(given.lines),
            key=f"window:{view.get('id')}",
            at=self._clock(),
            stage=given.pressed.stage,
            number=given.pressed.number,
        )
        place = {"url": "", "channel": given.channel, "user": heard.user, "thread": given.thread}

        def taken(text: str = "") -> None:
            """Slack shows a text in a window only as what is wrong with a field."""
            if text:
                ack(response_action="errors", errors={slack_reason.BLOCK: text})
            else:
                ack()

        self._begin(taken, heard, given.lines, place, known=bool(given.lines and view.get("id")))

    def _double(self, click: tuple[str, str, str]) -> bool:
        """The same button pressed twice by the same person in a moment is one press."""
        now = time.monotonic()
        with self._one_by_one:
            for old in [known for known, at in self._clicks.items() if now - at > DOUBLE_CLICK_SECONDS]:
                del self._clicks[old]
            known = click in self._clicks
            self._clicks[click] = now
        return known

    def _begin(
        self,
        ack: Callable[..., object],
        heard: Heard,
        lines: Sequence[str],
        place: Mapping[str, str],
        *,
        known: bool,
        view: dict[str, object] | None = None,
    ) -> None:
        """Acknowledge at once, then do it, or ask for the reason first. With too much waiting, say so in place of it."""
        if not known:
            ack("Nothing was done: this command or button cannot be read. It may come from an older message.")
            return
        if not self._waiting.acquire(blocking=False):
            ack("Nothing was done: too many commands are waiting. Give it again in a minute.")
            return
        ack()
        try:
            self._work.submit(self._do, heard, lines, place, view)
        except RuntimeError:
            self._waiting.release()
            self._tell(place, "Nothing was done: the bot is about to stop. Give it again in a minute.")

    def _do(self, heard: Heard, lines: Sequence[str], place: Mapping[str, str], view: dict[str, object] | None) -> None:
        """A window that does not open keeps nobody from what was pressed: it is done without a reason of one's own then."""
        try:
            if view is not None and self._answering.ask(place["trigger"], view):
                return
            text = self._answer(heard, lines)
            if text is not None:
                self._tell(place, text)
        except Exception:
            log.exception("slack.failed", key=heard.key)
            self._tell(place, f"Something went wrong inside of the bot ({heard.key}); its log says what. Nothing more was done.")
        finally:
            self._waiting.release()

    def _answer(self, heard: Heard, lines: Sequence[str]) -> str | None:
        """None for a saying that came by before."""
        try:
            why = self._members.refusal(heard.team, heard.user)
            if why:
                log.info("slack.stranger", team=heard.team, user=heard.user, reason=why)
                return slack_answer.stranger(why)
            if not self._first(heard):
                log.info("slack.again", key=heard.key)
                return None
            return self._take(heard, lines).text
        except (TransientError, UserError) as error:
            return slack_answer.unavailable(error.what)
        except BotError as error:
            return slack_answer.unavailable(str(error))

    def _tell(self, place: Mapping[str, str], text: str) -> None:
        self._answering.answer(
            url=place["url"],
            channel=place["channel"],
            user=place["user"],
            text=slack_answer.answer_text(text),
            blocks=slack_answer.answer_blocks(text),
            thread=place.get("thread", ""),
        )


def _authorize() -> AuthorizeResult:
    """Costs no call: who somebody is and whether he may is found out after the acknowledgement."""
    return AuthorizeResult(enterprise_id=None, team_id=None)


def _nothing(ack: Ack) -> None:
    """A button that only opens an address: acknowledged, or Slack shows an error."""
    ack()


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
