"""The buttons under a promotion in Slack, and the command lines that they stand for.

Decides what a button's value holds (stage, number, head commit, versions) and which line a press means: the same that a person would
type, bound to what stood beside the button. Who may press it is decided when it is pressed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.commands.grammar import in_quotes
from bot.domain.promotion import Promotion
from bot.messages.slack import clip
from bot.messages.words import listing

APPROVE, HOLD, REVERT, WHY, LINK = "promotion_approve", "promotion_hold", "promotion_revert", "promotion_why", "promotion_open"
ACTIONS = (APPROVE, HOLD, REVERT, WHY)
LONGEST_VALUE = 2_000
MOST_MOVES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What a button is bound to: the promotion's stage, number and head, and per service the version before and the new one."""

    stage: str
    number: int
    head: str
    moves: tuple[tuple[str, str, str], ...] = ()


def value(promotion: Promotion) -> str:
    """The text that Slack keeps for the button. Of a batch too large for it, no versions are kept: then there is no revert button."""
    moves = [[move.service, move.old.main.tag or "", move.new.main.tag or ""] for move in promotion.moves]
    full = {"stage": promotion.stage, "number": promotion.number, "head": promotion.head, "moves": moves}
    text = json.dumps(full, separators=(",", ":"))
    if len(text) <= LONGEST_VALUE and len(moves) <= MOST_MOVES:
        return text
    return json.dumps({**full, "moves": []}, separators=(",", ":"))


def read(text: str) -> Pressed | None:
    """A button's value; None for anything that is not exactly one of ours."""
    try:
        found = json.loads(text) if len(text) <= LONGEST_VALUE else None
    except ValueError:
        return None
    if not isinstance(found, Mapping) or set(found) != {"stage", "number", "head", "moves"}:
        return None
    stage, number, head, moves = (found[name] for name in ("stage", "number", "head", "moves"))
    if not isinstance(stage, str) or type(number) is not int or not isinstance(head, str) or not isinstance(moves, list):
        return None
    if any(not isinstance(move, list) or len(move) != 3 or any(not isinstance(part, str) for part in move) for move in moves):
        return None
    return Pressed(stage=stage, number=number, head=head, moves=tuple((move[0], move[1], move[2]) for move in moves))


def lines(action: str, pressed: Pressed, *, reason: str = "") -> tuple[str, ...]:
    """The command lines that a press means, with the reason that was asked for, if any; empty for an action that is none of ours."""
    match action:
        case "promotion_approve":
            return (f"approve {pressed.stage} --sha {pressed.head}",) if pressed.head else ()
        case "promotion_hold":
            return (f"hold --reason {in_quotes(reason or 'held with the button in Slack')}",)
        case "promotion_why":
            return ("why",)
        case "promotion_revert":
            why = f"--reason {in_quotes(reason or f'taken back with the button in Slack, #{pressed.number}')}"
            return tuple(
                f"rollback {in_quotes(service)} {pressed.stage} --from {in_quotes(new)} {why}"
                for service, old, new in pressed.moves
                if old and new
            )
        case _:
            return ()


def row(promotion: Promotion, which: Sequence[str]) -> list[dict[str, object]]:
    """The block of buttons; empty where there is none to show."""
    kept = value(promotion)
    bound = read(kept)
    elements: list[dict[str, object]] = []
    for action in which:
        if bound is None or not lines(action, bound):
            continue
        elements.append({"type": "button", "action_id": action, "value": kept, **_look(action, promotion)})
    if promotion.url:
        elements.append({"type": "button", "action_id": LINK, "text": _plain("Open"), "url": promotion.url[:3000]})
    return [{"type": "actions", "block_id": f"promotion:{promotion.id}"[:255], "elements": elements}] if elements else []


def _look(action: str, promotion: Promotion) -> dict[str, object]:
    what = listing([f"{move.service} {move.new}" for move in promotion.moves[:5]])
    match action:
        case "promotion_approve":
            ask = f"Approve {what} for {promotion.stage}, at head {promotion.head[:7]}?"
            return {"text": _plain("Approve"), "style": "primary", "confirm": _confirm("Approve", ask)}
        case "promotion_revert":
            back = listing([f"{move.service} {move.old}" for move in promotion.moves[:5]])
            return {"text": _plain("Revert"), "style": "danger", "confirm": _confirm("Revert", f"Bring {back} back to {promotion.stage}?")}
        case "promotion_hold":
            return {"text": _plain("Hold")}
        case _:
            return {"text": _plain("Why?")}


def _confirm(title: str, text: str) -> dict[str, object]:
    return {"title": _plain(title), "text": _plain(clip(text, 290)), "confirm": _plain(title), "deny": _plain("Cancel")}


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text}
