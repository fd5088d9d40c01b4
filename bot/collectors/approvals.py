"""Who approved which head of a pull request: reviews as they stand now, and approvals given by command, label or Slack.

Only the newest opinion of a person counts. A dismissed review and an approval of another head count for nothing; that
an approver may approve at all is judged by the `approval` gate from the teams given here.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from bot.domain.directive import Directive, Order
from bot.domain.people import Approval, Person
from bot.domain.pull import PullRequest, Review, ReviewState


class Rights(Protocol):
    """What the forge says of people's teams and permissions; answers may be a minute old, an error means refuse."""

    def teams_of(self, login: str, teams: Sequence[str]) -> frozenset[str]: ...

    def permission(self, repository: str, login: str) -> str: ...


OPINIONS = frozenset({ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED, ReviewState.DISMISSED})


def approvals(pull: PullRequest, directives: Iterable[Directive], *, teams: Sequence[str], rights: Rights) -> tuple[Approval, ...]:
    """All approvals of this pull request's present head, oldest first, one per person."""
    newest: dict[int, Review] = {}
    for review in sorted(pull.reviews, key=lambda item: item.submitted_at):
        if review.state in OPINIONS and not review.author.bot:
            newest[review.author.id] = review
    found = {
        review.author.id: _approval(review.author, review.commit, review, teams, rights)
        for review in newest.values()
        if review.state is ReviewState.APPROVED and review.commit == pull.head
    }
    for order in directives:
        fits = order.order is Order.APPROVE and order.number == pull.number and order.head == pull.head
        if fits and order.withdrawn_at is None and order.actor.id not in found:
            found[order.actor.id] = Approval(
                person=order.actor,
                head=order.head,
                at=order.at,
                source=order.source or "command",
                teams=_teams(order.actor, teams, rights),
            )
    return tuple(sorted(found.values(), key=lambda item: item.at))


def _approval(person: Person, head: str, review: Review, teams: Sequence[str], rights: Rights) -> Approval:
    return Approval(person=person, head=head, at=review.submitted_at, source="review", teams=_teams(person, teams, rights))


def _teams(person: Person, teams: Sequence[str], rights: Rights) -> frozenset[str]:
    return rights.teams_of(person.login, teams) if teams else frozenset()
