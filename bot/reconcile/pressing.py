"""The buttons of the stage's check: *Explain*, *Hold*, *Retry*, and GitHub's own *Re-run*.

A press is a command of whoever pressed, through the same desk as a comment. The event that told of it was verified and kept; here it is
decided that the check was ours, which pull request it stands on, and that the same press is carried out and answered once.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog

from bot.commands.grammar import parse
from bot.commands.model import Outcome, Surface
from bot.commands.shelf import verbs
from bot.domain.action import Reply
from bot.domain.errors import TransientError, UserError
from bot.domain.press import RERUN, Press
from bot.domain.promotion import Promotion
from bot.messages import refusals as words
from bot.messages.check_buttons import BUTTONS, RERUN_LINE
from bot.reconcile import crash, telling
from bot.reconcile.orders import Answer, Desk
from bot.reconcile.scenes import Said, newest
from bot.reconcile.tools import Tools

log = structlog.get_logger("orders")

LINES = {button.identifier: button.line for button in BUTTONS} | {RERUN: RERUN_LINE}


def take(tools: Tools, desk: Desk, stage: str, promotions: Sequence[Promotion]) -> tuple[bool, datetime | None]:
    """Carry out what was pressed: whether the facts must be gathered again, and when to try again what could not be done (UTC)."""
    anything, again = False, None
    seen: set[tuple[int, int, str]] = set()
    for press in tools.history.presses(stage):
        promotion = _meant(tools, press, promotions)
        twin = (press.actor.id, promotion.number or 0, press.button) if promotion is not None else None
        if promotion is not None and twin not in seen:
            try:
                anything |= _carry_out(tools, desk, promotion, press)
            except (TransientError, UserError) as error:
                log.warning("press.put_off", key=press.key, reason=error.what)
                again = tools.clock() + telling.pause_after(error)
                continue
            seen.add((press.actor.id, promotion.number or 0, press.button))
        tools.history.press_done(stage, press.key)
    return anything, again


def _meant(tools: Tools, press: Press, promotions: Sequence[Promotion]) -> Promotion | None:
    """The promotion under whose check it was pressed; None where the check or the button is none of ours."""
    ours = press.button in LINES and f"{press.app}[bot]".lower() == tools.forge.identity().lower()
    number = next((one.number for one in promotions if one.head and one.head == press.head), press.number)
    found = newest(promotions, number) if ours and number is not None else None
    if found is None:
        log.info("press.not_ours", key=press.key, button=press.button, app=press.app, head=press.head)
    return found


def _carry_out(tools: Tools, desk: Desk, promotion: Promotion, press: Press) -> bool:
    key = f"press:{press.key}"
    said = Said(actor=press.actor, at=press.at, key=key, source="check", stage=promotion.stage, number=promotion.number)
    call = parse(LINES[press.button], verbs())
    answer = tools.effects.once(
        f"ordered:{key}", name=crash.ORDERED, look=lambda: None, do=lambda: desk.take(call, said, surface=Surface.PR), kind=Answer
    )
    text = answer.told if answer.outcome in (Outcome.REFUSED, Outcome.ASKED) else ""
    if answer.outcome is Outcome.REFUSED:
        text = f"{words.reader(press.actor.login)} {text}"
    elif press.button == RERUN:
        telling.show_anew(tools, promotion)
    telling.reply(tools, Reply(number=promotion.number or 0, comment_id=0, reaction="", text=text, about=key))
    return bool(answer.orders) or answer.outcome is Outcome.ASKED
