"""Pull requests, their talk, reviews and timeline in GraphQL."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from bot.sandbox.github.graphql.nodes import Context, Info, Json, connection
from bot.sandbox.github.graphql.objects import CommitNode, RefNode, label
from bot.sandbox.github.graphql.people import actor
from bot.sandbox.github.history import compare
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.service.merging import mergeability
from bot.sandbox.github.service.rules import opinions
from bot.sandbox.github.state import Comment, Issue, Pull, QueueEntry, Repository, Review, TimelineEvent
from bot.sandbox.github.views.pulls import association
from bot.sandbox.github.views.repos import page
from bot.sandbox.github.views.times import stamp

EVENTS = {
    "labeled": ("LabeledEvent", "LABELED_EVENT"),
    "unlabeled": ("UnlabeledEvent", "UNLABELED_EVENT"),
    "closed": ("ClosedEvent", "CLOSED_EVENT"),
    "reopened": ("ReopenedEvent", "REOPENED_EVENT"),
    "merged": ("MergedEvent", "MERGED_EVENT"),
}


def filtered(repository: Repository, arguments: Json) -> list[Pull]:
    """The pull requests that the arguments of `pullRequests` ask for, in their order."""
    found = repository.pulls()
    if arguments.get("states"):
        found = [pull for pull in found if state_of(pull) in arguments["states"]]
    if arguments.get("baseRefName"):
        found = [pull for pull in found if pull.base_ref == arguments["baseRefName"]]
    if arguments.get("headRefName"):
        found = [pull for pull in found if pull.head_ref == arguments["headRefName"]]
    if arguments.get("labels"):
        wanted = {name.lower() for name in arguments["labels"]}
        found = [pull for pull in found if wanted & {item.name.lower() for item in pull.labels}]
    order = arguments.get("orderBy") or {}
    if order.get("field") == "UPDATED_AT":
        found.sort(key=lambda pull: (pull.updated_at, pull.number))
    if order.get("direction") == "DESC":
        found.reverse()
    return found


def state_of(pull: Pull) -> str:
    """OPEN, CLOSED or MERGED."""
    return "MERGED" if pull.merged_at else pull.state.upper()


def comment_node(context: Context, repository: Repository, issue: Issue, comment: Comment) -> Json:
    """`IssueComment`."""
    kind = "pull" if isinstance(issue, Pull) else "issues"
    return {
        "__typename": "IssueComment",
        "id": node_id("IC", comment.id),
        "databaseId": comment.id,
        "fullDatabaseId": str(comment.id),
        "author": actor(context, comment.author),
        "authorAssociation": association(context.world, repository, comment.author),
        "body": comment.body,
        "createdAt": stamp(comment.created_at),
        "updatedAt": stamp(comment.updated_at),
        "lastEditedAt": stamp(comment.edited_at),
        "viewerDidAuthor": comment.author is context.caller.account,
        "isMinimized": comment.minimized is not None,
        "minimizedReason": comment.minimized,
        "url": f"{page(context.world, repository)}/{kind}/{issue.number}#issuecomment-{comment.id}",
    }


def review_node(context: Context, repository: Repository, review: Review) -> Json:
    """`PullRequestReview`; `commit` is what was looked at."""
    when = stamp(review.submitted_at)
    return {
        "__typename": "PullRequestReview",
        "id": node_id("PRR", review.id),
        "databaseId": review.id,
        "fullDatabaseId": str(review.id),
        "author": actor(context, review.author),
        "authorAssociation": association(context.world, repository, review.author),
        "state": review.state,
        "body": review.body,
        "createdAt": when,
        "submittedAt": when,
        "updatedAt": when,
        "lastEditedAt": None,
        "viewerDidAuthor": review.author is context.caller.account,
        "isMinimized": False,
        "minimizedReason": None,
        "commit": CommitNode(context, repository, review.commit_id) if repository.git.commit_of(review.commit_id) else None,
    }


def queue_node(context: Context, repository: Repository, pull: Pull, entry: QueueEntry) -> Json:
    """`MergeQueueEntry`."""
    waiting = [other for other in repository.pulls() if other.queued is not None and other.base_ref == pull.base_ref]
    return {
        "__typename": "MergeQueueEntry",
        "id": node_id("MQE", pull.pull_id),
        "baseCommit": CommitNode(context, repository, entry.base_sha),
        "headCommit": CommitNode(context, repository, entry.sha),
        "enqueuedAt": stamp(entry.enqueued_at),
        "enqueuer": actor(context, entry.by),
        "position": waiting.index(pull) + 1 if pull in waiting else 0,
        "state": "AWAITING_CHECKS",
        "pullRequest": PullNode(context, repository, pull),
    }


def event_node(context: Context, repository: Repository, pull: Pull, event: TimelineEvent) -> Json:
    """A line of the timeline."""
    found = repository.labels.get(event.label.lower())
    named = (
        label(found) if found else {"__typename": "Label", "id": "LA_deleted", "name": event.label, "color": "ededed", "description": None}
    )
    return {
        "__typename": EVENTS[event.kind][0],
        "id": node_id("EV", event.id),
        "actor": actor(context, event.actor),
        "createdAt": stamp(event.created_at),
        "label": named,
        "commit": CommitNode(context, repository, pull.merge_sha) if pull.merge_sha else None,
    }


@dataclass(frozen=True, slots=True)
class PullNode:
    """`PullRequest`."""

    typename: ClassVar[str] = "PullRequest"
    context: Context
    inside: Repository
    pull: Pull

    def __getattr__(self, name: str) -> Any:
        """The fields that are plain values."""
        plain = plain_fields(self.context, self.inside, self.pull)
        if name not in plain:
            raise AttributeError(name)
        return plain[name]

    def repository(self, info: Info) -> Any:
        return self.context.wrap_repository(self.context, self.inside)

    def _branch(self, name: str) -> RefNode | None:
        sha = self.inside.git.branch(name)
        return RefNode(self.context, self.inside, f"refs/heads/{name}", sha) if sha else None

    def baseRef(self, info: Info) -> RefNode | None:
        return self._branch(self.pull.base_ref)

    def headRef(self, info: Info) -> RefNode | None:
        return self._branch(self.pull.head_ref)

    def mergeCommit(self, info: Info) -> CommitNode | None:
        return CommitNode(self.context, self.inside, self.pull.merge_sha) if self.pull.merge_sha else None

    def mergeable(self, info: Info) -> str:
        able, _ = mergeability(self.context.world, self.inside, self.pull)
        return "UNKNOWN" if able is None else "MERGEABLE" if able else "CONFLICTING"

    def mergeStateStatus(self, info: Info) -> str:
        return mergeability(self.context.world, self.inside, self.pull)[1].upper()

    def reviewDecision(self, info: Info) -> str | None:
        """None where the base branch asks for no review."""
        protection = self.inside.protections.get(self.pull.base_ref)
        if protection is None or not protection.reviews:
            return None
        states = [review.state for review in opinions(self.context.world, self.inside, self.pull, writers_only=True)]
        if "CHANGES_REQUESTED" in states:
            return "CHANGES_REQUESTED"
        return "APPROVED" if states.count("APPROVED") >= protection.reviews else "REVIEW_REQUIRED"

    def labels(self, info: Info, **arguments: Any) -> Json:
        return connection(self.pull.labels, label, arguments)

    def comments(self, info: Info, **arguments: Any) -> Json:
        return connection(self.pull.comments, lambda item: comment_node(self.context, self.inside, self.pull, item), arguments)

    def reviews(self, info: Info, **arguments: Any) -> Json:
        found = [review for review in self.pull.reviews if not arguments.get("states") or review.state in arguments["states"]]
        if arguments.get("author"):
            found = [review for review in found if review.author.graphql_login() == arguments["author"]]
        return connection(found, lambda item: review_node(self.context, self.inside, item), arguments)

    def latestOpinionatedReviews(self, info: Info, **arguments: Any) -> Json:
        found = opinions(self.context.world, self.inside, self.pull, writers_only=bool(arguments.get("writersOnly")))
        return connection(found, lambda item: review_node(self.context, self.inside, item), arguments)

    def latestReviews(self, info: Info, **arguments: Any) -> Json:
        latest = {review.author.id: review for review in self.pull.reviews}
        return connection(list(latest.values()), lambda item: review_node(self.context, self.inside, item), arguments)

    def commits(self, info: Info, **arguments: Any) -> Json:
        found = compare(self.inside.git, self.pull.base_sha, self.pull.head_sha)

        def wrap(sha: str) -> Json:
            commit = CommitNode(self.context, self.inside, sha)
            return {"__typename": "PullRequestCommit", "id": node_id("PRC", f"{self.pull.pull_id}:{sha}"), "commit": commit}

        return connection(found.ahead if found else (), wrap, arguments)

    def timelineItems(self, info: Info, **arguments: Any) -> Json:
        """Labels, closings and merges, comments and reviews, by time."""
        pull = self.pull
        items: list[tuple[datetime, int, str, Json]] = []
        for event in pull.timeline:
            kind = EVENTS[event.kind][1]
            items.append((event.created_at, event.id, kind, event_node(self.context, self.inside, pull, event)))
        for comment in pull.comments:
            items.append((comment.created_at, comment.id, "ISSUE_COMMENT", comment_node(self.context, self.inside, pull, comment)))
        for review in pull.reviews:
            items.append((review.submitted_at, review.id, "PULL_REQUEST_REVIEW", review_node(self.context, self.inside, review)))
        wanted = arguments.get("itemTypes")
        since = arguments.get("since")
        chosen = [
            node
            for when, _, kind, node in sorted(items, key=lambda item: item[:2])
            if (not wanted or kind in wanted) and (since is None or when >= since)
        ]
        return connection(chosen, lambda node: node, arguments)


def plain_fields(context: Context, repository: Repository, pull: Pull) -> Json:
    """The fields of a pull request that need no arguments and no git."""
    auto = pull.auto_merge
    return {
        "id": node_id("PR", pull.pull_id),
        "databaseId": pull.pull_id,
        "fullDatabaseId": str(pull.pull_id),
        "number": pull.number,
        "title": pull.title,
        "body": pull.body or "",
        "url": f"{page(context.world, repository)}/pull/{pull.number}",
        "state": state_of(pull),
        "isDraft": pull.draft,
        "author": actor(context, pull.author),
        "authorAssociation": association(context.world, repository, pull.author),
        "viewerDidAuthor": pull.author is context.caller.account,
        "createdAt": stamp(pull.created_at),
        "updatedAt": stamp(pull.updated_at),
        "lastEditedAt": None,
        "closed": pull.state == "closed",
        "closedAt": stamp(pull.closed_at),
        "merged": pull.merged_at is not None,
        "mergedAt": stamp(pull.merged_at),
        "mergedBy": actor(context, pull.merged_by),
        "baseRefName": pull.base_ref,
        "baseRefOid": pull.base_sha,
        "headRefName": pull.head_ref,
        "headRefOid": pull.head_sha,
        "isInMergeQueue": pull.queued is not None,
        "mergeQueueEntry": None if pull.queued is None else queue_node(context, repository, pull, pull.queued),
        "isCrossRepository": False,
        "maintainerCanModify": False,
        "autoMergeRequest": None
        if auto is None
        else {
            "enabledAt": stamp(auto.enabled_at),
            "enabledBy": actor(context, auto.by),
            "mergeMethod": auto.method.upper(),
            "commitHeadline": auto.title,
            "commitBody": auto.message,
        },
        "additions": lambda info: _lines(repository, pull)[0],
        "deletions": lambda info: _lines(repository, pull)[1],
        "changedFiles": lambda info: _lines(repository, pull)[2],
    }


def _lines(repository: Repository, pull: Pull) -> tuple[int, int, int]:
    found = compare(repository.git, pull.base_sha, pull.head_sha)
    files = found.files if found else ()
    return sum(item.additions for item in files), sum(item.deletions for item in files), len(files)
