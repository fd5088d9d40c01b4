"""Recognises the bot's own open pull requests that the database knows nothing of, by author, branch and hidden marker.

So a bot that lost its database, or crashed between a write and its record, goes on where it was. A branch or pull request
of such a name that is not the bot's own is never touched.
"""

import json
import re
from dataclasses import replace

from bot.config.schema import Config
from bot.domain.facts import Facts
from bot.domain.image import Version
from bot.domain.promotion import Move, Promotion, PromotionState, branch_name
from bot.domain.pull import PullRequest, PullState
from bot.domain.release import Release

MARKER = re.compile(r"<!-- promotion-bot (\{.*?\}) -->", re.DOTALL)


def marker(promotion: Promotion) -> str:
    """The hidden line of a pull request's body that carries the promotion's identity."""
    identity = {
        "id": promotion.id,
        "stage": promotion.stage,
        "name": promotion.name,
        "base": promotion.base,
        "starter": promotion.starter,
        "moves": [{"service": move.service, "old": _plain(move.old), "new": _plain(move.new)} for move in promotion.moves],
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":")).replace("-->", "--\\u003e")
    return f"<!-- promotion-bot {text} -->"


def adopted(config: Config, facts: Facts, moves: dict[str, tuple[Move, ...]]) -> list[Promotion]:
    """Promotions read back from open pull requests of ours that `facts.promotions` lacks.

    `moves` are the present candidates by promotion name: where they want what the marker says, their edits are the promotion's.
    """
    known = {promotion.number for promotion in facts.promotions if promotion.number is not None}
    opening = {promotion.branch for promotion in facts.promotions if promotion.state is PromotionState.OPENING}
    found = []
    for pull in facts.pulls.values():
        if pull.number in known or pull.branch in opening or pull.state is not PullState.OPEN or not pull.ours:
            continue
        promotion = read(pull, facts.stage)
        if promotion is not None:
            found.append(_with_edits(promotion, moves.get(promotion.name, ())))
    return found


def read(pull: PullRequest, stage: str) -> Promotion | None:
    """The promotion that a pull request's marker names; None when there is no marker of this stage that fits its branch."""
    match = MARKER.search(pull.body)
    if match is None:
        return None
    try:
        identity = json.loads(match[1])
        moves = tuple(
            Move(service=str(move["service"]), old=_release(move["old"]), new=_release(move["new"])) for move in identity["moves"]
        )
        name, base = str(identity["name"]), str(identity["base"])
        if identity["stage"] != stage or pull.branch != branch_name(stage, name) or not moves:
            return None
        return Promotion(
            id=str(identity["id"]),
            stage=stage,
            name=name,
            moves=moves,
            branch=pull.branch,
            state=PromotionState.OPEN,
            base=base,
            opened_at=pull.created_at,
            head=pull.head,
            number=pull.number,
            url=pull.url,
            starter=str(identity.get("starter", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _with_edits(promotion: Promotion, moves: tuple[Move, ...]) -> Promotion:
    wanted = {(move.service, move.new.text): move for move in moves}
    return replace(
        promotion,
        moves=tuple(
            replace(move, edits=wanted[move.service, move.new.text].edits) if (move.service, move.new.text) in wanted else move
            for move in promotion.moves
        ),
    )


def _plain(release: Release) -> dict[str, str]:
    return {component: version.text for component, version in release.versions}


def _release(plain: dict[str, str]) -> Release:
    return Release(versions=tuple(sorted((component, Version.parse(text)) for component, text in plain.items())))
