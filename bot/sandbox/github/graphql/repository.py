"""The repository in GraphQL, and what is found through it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.sandbox.github.access import RANK, role_of
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.graphql.nodes import Context, Info, Json, connection
from bot.sandbox.github.graphql.objects import BlobNode, CommitNode, RefNode, label
from bot.sandbox.github.graphql.people import actor
from bot.sandbox.github.graphql.pulls import PullNode, filtered
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.state import Pull, Repository
from bot.sandbox.github.views.repos import page


@dataclass(frozen=True, slots=True)
class RepositoryNode:
    """`Repository`."""

    typename: ClassVar[str] = "Repository"
    context: Context
    repository: Repository

    def id(self, info: Info) -> str:
        return node_id("R", self.repository.id)

    def databaseId(self, info: Info) -> int:
        return self.repository.id

    def name(self, info: Info) -> str:
        return self.repository.name

    def nameWithOwner(self, info: Info) -> str:
        return self.repository.full_name

    def isPrivate(self, info: Info) -> bool:
        return self.repository.settings.private

    def isArchived(self, info: Info) -> bool:
        return self.repository.settings.archived

    def url(self, info: Info) -> str:
        return page(self.context.world, self.repository)

    def owner(self, info: Info) -> Json | None:
        return actor(self.context, self.repository.owner)

    def autoMergeAllowed(self, info: Info) -> bool:
        return self.repository.settings.allow_auto_merge

    def deleteBranchOnMerge(self, info: Info) -> bool:
        return self.repository.settings.auto_delete_head

    def mergeCommitAllowed(self, info: Info) -> bool:
        return self.repository.settings.allow_merge_commit

    def squashMergeAllowed(self, info: Info) -> bool:
        return self.repository.settings.allow_squash_merge

    def rebaseMergeAllowed(self, info: Info) -> bool:
        return self.repository.settings.allow_rebase_merge

    def viewerPermission(self, info: Info) -> str | None:
        caller = self.context.caller
        if caller.installation is not None:
            return "WRITE" if caller.installation.permissions.get("contents") == "write" else "READ"
        return role_of(self.context.world, self.repository, caller.account).upper() or None

    def ref(self, info: Info, qualifiedName: str) -> RefNode | None:
        full = qualifiedName if qualifiedName.startswith("refs/") else f"refs/heads/{qualifiedName}"
        sha = self.repository.git.refs("refs/").get(full)
        return RefNode(self.context, self.repository, full, sha) if sha else None

    def refs(self, info: Info, refPrefix: str, **arguments: Any) -> Json:
        found = list(self.repository.git.refs(refPrefix).items())
        return connection(found, lambda item: RefNode(self.context, self.repository, *item), arguments)

    def defaultBranchRef(self, info: Info) -> RefNode | None:
        return self.ref(info, self.repository.settings.default_branch)

    def object(self, info: Info, expression: str | None = None, oid: str | None = None) -> Any:
        """A blob (`commit:path`), commit or tree, or None."""
        git = self.repository.git
        if oid is None and expression is not None:
            revision, colon, path = expression.partition(":")
            commit = git.commit_of(revision)
            if commit is None:
                return None
            entry = git.entry(commit, path) if colon else ("", "commit", commit)
            oid = entry[2] if entry else None
        match git.object_type(oid) if oid else None:
            case "commit":
                return CommitNode(self.context, self.repository, oid or "")
            case "blob":
                return BlobNode(self.repository, oid or "")
            case "tree":
                return {"__typename": "Tree", "id": node_id("T", f"{self.repository.id}:{oid}"), "oid": oid}
            case _:
                return None

    def label(self, info: Info, name: str) -> Json | None:
        found = self.repository.labels.get(name.lower())
        return label(found) if found else None

    def labels(self, info: Info, **arguments: Any) -> Json:
        found = [item for item in self.repository.labels.values() if (arguments.get("query") or "").lower() in item.name.lower()]
        return connection(found, label, arguments)

    def pullRequest(self, info: Info, number: int) -> Any:
        found = self.repository.issues.get(number)
        if not isinstance(found, Pull):
            raise ApiError(404, f"Could not resolve to a PullRequest with the number of {number}.")
        return PullNode(self.context, self.repository, found)

    def pullRequests(self, info: Info, **arguments: Any) -> Json:
        return connection(filtered(self.repository, arguments), lambda pull: PullNode(self.context, self.repository, pull), arguments)

    def collaborators(self, info: Info, **arguments: Any) -> Json:
        """People with a role of their own or through a team; `query` looks at logins."""
        world, wanted = self.context.world, (arguments.get("query") or arguments.get("login") or "").lower()
        people = [account for account in world.accounts.values() if account.kind == "User" and wanted in account.login.lower()]
        roles = [(account, role_of(world, self.repository, account)) for account in people]
        found = [(account, role) for account, role in roles if RANK[role] >= 0]
        made = connection(found, lambda item: actor(self.context, item[0]), arguments)
        edges = [{"node": actor(self.context, account), "permission": role.upper()} for account, role in found]
        return made | {"edges": edges[: len(made["nodes"])]}
