"""What a promotion shows of itself on GitHub: the texts of its pull request and the one `Show` of its present state."""

from collections.abc import Sequence

from bot.domain.action import OpenPromotion, Show, UpdatePromotion
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.verdict import Outcome, Verdict
from bot.messages import comment
from bot.messages import pulls as words
from bot.planning.adopt import marker
from bot.planning.labels import labels, opening_labels


def opening(promotion: Promotion) -> OpenPromotion:
    """The action that opens the promotion."""
    return OpenPromotion(
        promotion=promotion,
        title=words.title(promotion),
        body=body(promotion),
        labels=opening_labels(promotion),
        message=words.commit_message(promotion),
    )


def renewing(promotion: Promotion, *, replaces: Promotion) -> UpdatePromotion:
    """The action that puts `promotion` in the place of `replaces`, in the same pull request."""
    return UpdatePromotion(
        promotion=promotion,
        replaces=replaces.id,
        expected_head=replaces.head,
        title=words.title(promotion),
        body=body(promotion),
        message=words.commit_message(promotion),
    )


def body(promotion: Promotion) -> str:
    """The pull request's text, with the hidden marker by which the bot knows it again."""
    return f"{words.body(promotion)}\n\n{marker(promotion)}\n"


def show(promotion: Promotion, verdicts: Sequence[Verdict], sentence: str, ordered: Sequence[str] = ()) -> Show:
    """The face of an open promotion: verdict first, then what holds it, then every gate. `ordered` are labels of people's orders."""
    return Show(
        promotion=promotion,
        comment=comment.waiting(promotion, verdicts, sentence),
        check_title=comment.check_title(verdicts),
        check_summary=comment.table(verdicts),
        conclusion=conclusion(promotion, verdicts),
        labels=labels(promotion, verdicts, ordered),
        steps=(promotion.state, *(f"{verdict.gate}: {verdict.outcome}" for verdict in verdicts)),
    )


def show_rollout(promotion: Promotion, sentence: str, ordered: Sequence[str] = ()) -> Show:
    """The face of a promotion after its merge."""
    return Show(
        promotion=promotion,
        comment=comment.after_merge(promotion, sentence),
        check_title=comment.state_title(promotion),
        check_summary=sentence,
        conclusion=conclusion(promotion, ()),
        labels=labels(promotion, (), ordered),
        steps=(promotion.state,),
    )


def conclusion(promotion: Promotion, verdicts: Sequence[Verdict]) -> str:
    """The check's conclusion: "success", "failure", "neutral" where it was closed, or empty while it is awaited."""
    if promotion.state is PromotionState.CLOSED:
        return "neutral"
    if promotion.state in (PromotionState.FAILED, PromotionState.REVERTING, PromotionState.REVERTED, PromotionState.STUCK):
        return "failure"
    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.FAILED in outcomes:
        return "failure"
    return "" if outcomes - {Outcome.PASSED} else "success"
