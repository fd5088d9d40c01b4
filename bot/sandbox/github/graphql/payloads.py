"""What the mutations of GraphQL answer: the payload's common fields, and whatever a comment or label stands on."""

from typing import Any

from bot.sandbox.github.graphql.nodes import Context, Json
from bot.sandbox.github.graphql.people import actor
from bot.sandbox.github.graphql.pulls import PullNode
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.state import Issue, Pull, Repository


def answer(context: Context, given: Json, **found: Any) -> Json:
    """A payload."""
    return {"clientMutationId": given.get("clientMutationId"), "actor": actor(context, context.caller.account)} | found


def subject(context: Context, repository: Repository, issue: Issue) -> Any:
    """A pull request or an issue."""
    if isinstance(issue, Pull):
        return PullNode(context, repository, issue)
    return {"__typename": "Issue", "id": node_id("I", issue.id), "number": issue.number, "title": issue.title}
