"""A rollout under way, as its pull request shows it: once, when it takes longer than a moment, and again when it goes wrong.

Decides when it is shown and which sentence it bears; how the rollout goes is left to `rollouts`.
"""

from dataclasses import replace
from datetime import timedelta

from bot.domain.facts import Facts
from bot.domain.promotion import Promotion
from bot.planning.face import show_rollout
from bot.planning.labels import ordered
from bot.planning.opened import Decision

MOMENT = timedelta(seconds=15)
"""A rollout that is over within it is written of at its end only."""


def shown(facts: Facts, decision: Decision, promotion: Promotion, sentence: str = "") -> Decision:
    """The decision with the face. `sentence` is one that stands as long as all goes well; the report's own changes with every pod."""
    after = (promotion.merged_at or facts.now) + MOMENT
    if facts.now < after:
        return replace(decision, look_again=min(decision.look_again or after, after))
    face = show_rollout(promotion, sentence or decision.report.sentence, ordered(facts, promotion))
    return replace(decision, actions=(*decision.actions, face))
