"""A promotion at the head of its Slack thread: what moves where, how it stands, when what happened, and the buttons that fit.

Decides words, signs and which buttons are offered in which state; nothing in it depends on the moment it is written.
"""

from collections.abc import Sequence

from bot.domain.card import Card
from bot.domain.promotion import Promotion, PromotionState
from bot.messages import slack_buttons as buttons
from bot.messages.comment import STATE_SIGNS, state_title
from bot.messages.slack import clip, header, mrkdwn_text, section
from bot.messages.words import instant

MOST_MOVES = 10
OFFERED = {
    PromotionState.OPEN: (buttons.APPROVE, buttons.HOLD, buttons.WHY),
    PromotionState.OPENING: (),
    PromotionState.MERGED: (buttons.REVERT, buttons.WHY),
    PromotionState.HEALTHY: (buttons.REVERT,),
    PromotionState.FAILED: (buttons.WHY,),
    PromotionState.STUCK: (buttons.WHY,),
}


def card_text(card: Card) -> str:
    """The plain text that notifications and screen readers use."""
    return f"{_sign(card)} {clip(_headline(card.promotion), 300)}: {clip(_state(card), 1_500)}"


def card_blocks(card: Card) -> Sequence[dict[str, object]]:
    """Head, state, versions, times, buttons: at most five blocks."""
    promotion = card.promotion
    head = f"{_sign(card)} {_headline(promotion)}"
    found: list[dict[str, object]] = [
        header(head),
        section(f"*{clip(_state(card), 1_500)}*"),
    ]
    moves = promotion.moves[:MOST_MOVES]
    fields = [mrkdwn_text(f"*{clip(move.service, 100)}*\n{clip(str(move.old), 150)} → {clip(str(move.new), 150)}") for move in moves]
    found.append({"type": "section", "fields": fields})
    if len(promotion.moves) > MOST_MOVES:
        found[-1]["fields"] = [*fields[:-1], mrkdwn_text(f"… and {len(promotion.moves) - MOST_MOVES + 1} more")]
    if timeline(promotion):
        found.append({"type": "context", "elements": [mrkdwn_text(" · ".join(timeline(promotion)))]})
    return [*found, *buttons.row(promotion, OFFERED.get(promotion.state, ()))]


def timeline(promotion: Promotion) -> list[str]:
    """What happened when, from the opening to the recovery; instants are UTC."""
    steps = [
        ("opened", promotion.opened_at),
        ("merged", promotion.merged_at),
        ("healthy since", promotion.healthy_since if promotion.state is PromotionState.HEALTHY else None),
        ("failed", promotion.failed_at),
        ("taken back", promotion.rollout_since if promotion.revert_commit else None),
        ("ended", promotion.ended_at if promotion.state is not PromotionState.HEALTHY else None),
    ]
    return [f"{name} {instant(at)}" for name, at in steps if at is not None]


def _headline(promotion: Promotion) -> str:
    number = f" (#{promotion.number})" if promotion.number is not None else ""
    if len(promotion.moves) == 1:
        return f"{promotion.moves[0].service} {promotion.moves[0].new} to {promotion.stage}{number}"
    return f"{promotion.name}, {len(promotion.moves)} services to {promotion.stage}{number}"


def _state(card: Card) -> str:
    title = state_title(card.promotion)
    sentence = " ".join(card.sentence.split())
    return f"{title}: {sentence}" if sentence else title


def _sign(card: Card) -> str:
    if card.promotion.state.before_merge:
        return "⛔" if card.blocked else "⏳"
    return STATE_SIGNS.get(card.promotion.state, "🚚")
