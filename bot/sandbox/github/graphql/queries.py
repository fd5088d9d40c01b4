"""The root of GraphQL's queries, and finding any object by its node id."""

from typing import Any

from bot.sandbox.github.access import sees
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.graphql.nodes import Context, Info, Json
from bot.sandbox.github.graphql.objects import RefNode, label
from bot.sandbox.github.graphql.people import actor
from bot.sandbox.github.graphql.pulls import PullNode, comment_node
from bot.sandbox.github.graphql.repository import RepositoryNode
from bot.sandbox.github.ids import parse_node_id
from bot.sandbox.github.service.issues import find_comment
from bot.sandbox.github.state import Comment, Issue, Label, Pull, Repository


def missing(identifier: str) -> ApiError:
    """What GitHub says of an id that leads nowhere (for the caller)."""
    return ApiError(404, f"Could not resolve to a node with the global id of '{identifier}'")


def _number(context: Context, identifier: str, kind: str) -> str:
    found = parse_node_id(identifier)
    if found is None or found[0] != kind:
        raise missing(identifier)
    return found[1]


def repositories(context: Context) -> list[Repository]:
    """Every repository that exists for the caller."""
    return [item for item in context.world.repositories.values() if sees(context.world, context.caller, item)]


def repository_of(context: Context, identifier: str) -> Repository:
    """The repository with this node id."""
    number = _number(context, identifier, "R")
    for item in repositories(context):
        if str(item.id) == number:
            return item
    raise missing(identifier)


def pull_of(context: Context, identifier: str) -> tuple[Repository, Pull]:
    """The pull request with this node id."""
    number = _number(context, identifier, "PR")
    for item in repositories(context):
        for pull in item.pulls():
            if str(pull.pull_id) == number:
                return item, pull
    raise missing(identifier)


def issue_of(context: Context, identifier: str) -> tuple[Repository, Issue]:
    """The pull request or issue with this node id."""
    if identifier.startswith("PR_"):
        return pull_of(context, identifier)
    number = _number(context, identifier, "I")
    for item in repositories(context):
        for issue in item.issues.values():
            if str(issue.id) == number:
                return item, issue
    raise missing(identifier)


def comment_of(context: Context, identifier: str) -> tuple[Repository, Issue, Comment]:
    """The comment with this node id."""
    number = int(_number(context, identifier, "IC"))
    for item in repositories(context):
        try:
            return item, *find_comment(item, number)
        except ApiError:
            continue
    raise missing(identifier)


def label_of(repository: Repository, identifier: str) -> Label:
    """A label of this repository."""
    found = parse_node_id(identifier)
    for item in repository.labels.values():
        if found == ("LA", str(item.id)):
            return item
    raise missing(identifier)


def ref_of(context: Context, identifier: str) -> tuple[Repository, str, str]:
    """Repository, full name and object id of a ref."""
    number, _, name = _number(context, identifier, "REF").partition(":")
    for item in repositories(context):
        sha = item.git.refs("refs/").get(name)
        if str(item.id) == number and sha is not None:
            return item, name, sha
    raise missing(identifier)


class Query:
    """The fields of `Query`."""

    def __init__(self, context: Context, rate: Json) -> None:
        self._context = context
        self._rate = rate

    def rateLimit(self, info: Info, **arguments: Any) -> Json:
        return self._rate

    def viewer(self, info: Info) -> Json:
        found = actor(self._context, self._context.caller.account) or {}
        return found | {"login": self._context.caller.account.login, "__typename": "User"}

    def user(self, info: Info, login: str) -> Json | None:
        account = self._context.world.accounts.get(login.lower())
        if account is None or account.kind != "User":
            raise ApiError(404, f"Could not resolve to a User with the login of '{login}'.")
        return actor(self._context, account)

    def repository(self, info: Info, owner: str, name: str, **arguments: Any) -> RepositoryNode:
        found = self._context.world.repositories.get(f"{owner}/{name}".lower())
        if found is None or not sees(self._context.world, self._context.caller, found):
            raise ApiError(404, f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return RepositoryNode(self._context, found)

    def node(self, info: Info, id: str) -> Any:
        return find_node(self._context, id)

    def nodes(self, info: Info, ids: list[str]) -> list[Any]:
        return [find_node(self._context, identifier) for identifier in ids]


def find_node(context: Context, identifier: str) -> Any:
    """Repositories, pull requests, comments, refs, labels and people by id."""
    match identifier.partition("_")[0]:
        case "R":
            return RepositoryNode(context, repository_of(context, identifier))
        case "PR":
            return PullNode(context, *pull_of(context, identifier))
        case "IC":
            return comment_node(context, *comment_of(context, identifier))
        case "REF":
            return RefNode(context, *ref_of(context, identifier))
        case "LA":
            for repository in repositories(context):
                for item in repository.labels.values():
                    if parse_node_id(identifier) == ("LA", str(item.id)):
                        return label(item)
        case "U" | "BOT" | "O":
            found = parse_node_id(identifier)
            for account in context.world.accounts.values():
                if found and found[1] == str(account.id):
                    return actor(context, account)
    raise missing(identifier)
