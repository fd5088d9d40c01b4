"""Who approved which head of a pull request: reviews as they stand now, and approvals given by command, label or Slack.

Only the newest opinion of a person counts. A dismissed review and an approval of another head count for nothing. Whether somebody may
approve is asked anew for every run (`Voter`), so that a right that was taken away counts at the merge.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.domain.directive import Directive, Order
from bot.domain.people import Approval, Person
from bot.domain.pull import PullRequest, Review, ReviewState

OPINIONS = frozenset({ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED, ReviewState.DISMISSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    """What is known of somebody who approved: teams, may he, and if not why not; `approver` by role, not only by a gate's own list."""

    teams: frozenset[str] = frozenset()
    may: bool = True
    why_not: str = ""
    approver: bool = True


def approvals(pull: PullRequest, directives: Iterable[Directive], *, voter: Callable[[Person], Voter]) -> tuple[Approval, ...]:
    """All approvals of this pull request's present head, oldest first, one per person."""
    newest: dict[int, Review] = {}
    for review in sorted(pull.reviews, key=lambda item: item.submitted_at):
        if review.state in OPINIONS and review.author.id:
            newest[review.author.id] = review
    found = {
        review.author.id: Approval(person=review.author, head=review.commit, at=review.submitted_at, source="review")
        for review in newest.values()
        if review.state is ReviewState.APPROVED and review.commit == pull.head
    }
    for order in directives:
        fits = order.order is Order.APPROVE and order.number == pull.number and order.head == pull.head
        if fits and order.withdrawn_at is None and order.actor.id not in found:
            found[order.actor.id] = Approval(person=order.actor, head=order.head, at=order.at, source=order.source or "command")
    return tuple(sorted((_judged(one, voter(one.person)) for one in found.values()), key=lambda item: (item.at, item.person.id)))


def _judged(approval: Approval, voter: Voter) -> Approval:
    return Approval(
        person=approval.person,
        head=approval.head,
        at=approval.at,
        source=approval.source,
        teams=voter.teams,
        may=voter.may,
        why_not=voter.why_not,
        approver=voter.approver,
    )
