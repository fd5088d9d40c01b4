"""Reviews: who may give which, bound to the head that was looked at."""

from bot.sandbox.github.access import Caller
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.service.merging import settle
from bot.sandbox.github.state import Pull, Repository, Review
from bot.sandbox.github.world import Event, World

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def submit_review(
    world: World, repository: Repository, caller: Caller, pull: Pull, *, event: str, body: str = "", commit_id: str | None = None
) -> Review:
    """A submitted review. Nobody approves a pull request of their own."""
    if event not in STATES:
        raise ApiError(422, "Unprocessable Entity", errors=["Variable $event of type PullRequestReviewEvent was provided invalid value"])
    if caller.account is pull.author and event != "COMMENT":
        said = "approve" if event == "APPROVE" else "request changes on"
        raise ApiError(422, "Unprocessable Entity", errors=[f"Can not {said} your own pull request"])
    if event == "REQUEST_CHANGES" and not body.strip():
        raise ApiError(422, "Unprocessable Entity", errors=["Body can't be blank"])
    review = Review(
        id=world.next_id(),
        author=caller.account,
        state=STATES[event],
        body=body,
        commit_id=commit_id or pull.head_sha,
        submitted_at=world.now(),
    )
    pull.reviews.append(review)
    pull.updated_at = world.now()
    _tell(world, repository, caller, pull, review, "submitted")
    settle(world, repository, pull.head_sha)
    return review


def dismiss_review(world: World, repository: Repository, caller: Caller, pull: Pull, review: Review) -> None:
    """Take the weight off a review."""
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise ApiError(422, "Can not dismiss a commented pull request review")
    review.state = "DISMISSED"
    _tell(world, repository, caller, pull, review, "dismissed")


def _tell(world: World, repository: Repository, caller: Caller, pull: Pull, review: Review, action: str) -> None:
    details = {"pull": pull, "review": review}
    world.emit(Event(name="pull_request_review", action=action, repository=repository, sender=caller.account, details=details))
