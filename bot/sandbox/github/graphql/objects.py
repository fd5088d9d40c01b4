"""Refs, blobs, commits, labels and checks in GraphQL."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.sandbox.github.git import Signature
from bot.sandbox.github.graphql.nodes import Context, Info, Json, connection
from bot.sandbox.github.graphql.people import actor
from bot.sandbox.github.history import changes, read_commit
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.service.rules import combined_state, latest_runs, latest_statuses
from bot.sandbox.github.state import CheckRun, Label, Protection, Repository, Status
from bot.sandbox.github.views.commits import commit_node
from bot.sandbox.github.views.repos import page
from bot.sandbox.github.views.times import stamp


@dataclass(frozen=True, slots=True)
class RefNode:
    """`Ref`."""

    typename: ClassVar[str] = "Ref"
    context: Context
    repository: Repository
    full_name: str
    sha: str

    def id(self, info: Info) -> str:
        return node_id("REF", f"{self.repository.id}:{self.full_name}")

    def prefix(self, info: Info) -> str:
        return "/".join(self.full_name.split("/")[:2]) + "/"

    def name(self, info: Info) -> str:
        return "/".join(self.full_name.split("/")[2:])

    def refUpdateRule(self, info: Info) -> Json | None:
        """The rule of the branch for the caller; None where it is not protected."""
        rule = self.repository.protections.get(self.full_name.removeprefix("refs/heads/"))
        return update_rule(self.full_name, rule) if rule else None

    def rules(self, info: Info, **arguments: Any) -> Json:
        rule = self.repository.protections.get(self.full_name.removeprefix("refs/heads/"))
        return connection(rule_nodes(self.repository, rule) if rule else [], lambda node: node, arguments)

    def target(self, info: Info) -> "CommitNode":
        return CommitNode(self.context, self.repository, self.repository.git.commit_of(self.sha) or self.sha)


def update_rule(ref: str, rule: Protection) -> Json:
    """`RefUpdateRule`."""
    return {
        "allowsDeletions": rule.allow_deletion,
        "allowsForcePushes": rule.allow_force,
        "blocksCreations": False,
        "pattern": ref.removeprefix("refs/heads/"),
        "requiredApprovingReviewCount": rule.reviews or None,
        "requiredStatusCheckContexts": list(rule.checks),
        "requiresCodeOwnerReviews": False,
        "requiresConversationResolution": False,
        "requiresLinearHistory": rule.linear,
        "requiresSignatures": rule.signatures,
        "viewerAllowedToDismissReviews": True,
        "viewerCanPush": not rule.forbids_push(),
    }


def rule_nodes(repository: Repository, rule: Protection) -> list[Json]:
    """`RepositoryRule`s that say the same as the protection."""
    found: list[tuple[str, Json | None]] = []
    if rule.checks:
        wanted = [{"context": context, "integrationId": None} for context in rule.checks]
        settings = {"doNotEnforceOnCreate": False, "strictRequiredStatusChecksPolicy": rule.strict}
        found.append(
            ("REQUIRED_STATUS_CHECKS", {"__typename": "RequiredStatusChecksParameters", "requiredStatusChecks": wanted} | settings)
        )
    if rule.forbids_push():
        asked = {"requiredApprovingReviewCount": rule.reviews, "dismissStaleReviewsOnPush": rule.dismiss_stale}
        others = dict.fromkeys(("requireCodeOwnerReview", "requireLastPushApproval", "requiredReviewThreadResolution"), False)
        found.append(("PULL_REQUEST", {"__typename": "PullRequestParameters", "allowedMergeMethods": None} | asked | others))
    found += [("REQUIRED_SIGNATURES", None)] if rule.signatures else []
    return [{"id": node_id("RRU", f"{repository.id}:{kind}"), "type": kind, "parameters": parameters} for kind, parameters in found]


@dataclass(frozen=True, slots=True)
class BlobNode:
    """`Blob`."""

    typename: ClassVar[str] = "Blob"
    repository: Repository
    oid: str

    def id(self, info: Info) -> str:
        return node_id("B", f"{self.repository.id}:{self.oid}")

    def byteSize(self, info: Info) -> int:
        return len(self.repository.git.blob(self.oid))

    def isBinary(self, info: Info) -> bool:
        return b"\0" in self.repository.git.blob(self.oid)[:8000]

    def text(self, info: Info) -> str | None:
        raw = self.repository.git.blob(self.oid)
        return None if b"\0" in raw[:8000] else raw.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class CommitNode:
    """`Commit`."""

    typename: ClassVar[str] = "Commit"
    context: Context
    repository: Repository
    oid: str

    def id(self, info: Info) -> str:
        return commit_node(self.repository, self.oid)

    def abbreviatedOid(self, info: Info) -> str:
        return self.oid[:7]

    def url(self, info: Info) -> str:
        return f"{page(self.context.world, self.repository)}/commit/{self.oid}"

    def message(self, info: Info) -> str:
        return read_commit(self.repository.git, self.oid).message

    def messageHeadline(self, info: Info) -> str:
        return self.message(info).partition("\n")[0]

    def committedDate(self, info: Info) -> str:
        return stamp(read_commit(self.repository.git, self.oid).committer.when)

    def authoredDate(self, info: Info) -> str:
        return stamp(read_commit(self.repository.git, self.oid).author.when)

    def author(self, info: Info) -> Json:
        return self._person(read_commit(self.repository.git, self.oid).author)

    def committer(self, info: Info) -> Json:
        return self._person(read_commit(self.repository.git, self.oid).committer)

    def _person(self, who: Signature) -> Json:
        account = self.context.world.account_of(who)
        user = actor(self.context, account) if account is not None and account.kind == "User" else None
        return {"name": who.name, "email": who.email, "date": stamp(who.when), "user": user}

    def parents(self, info: Info, **arguments: Any) -> Json:
        found = read_commit(self.repository.git, self.oid).parents
        return connection(found, lambda sha: CommitNode(self.context, self.repository, sha), arguments)

    def changedFilesIfAvailable(self, info: Info) -> int:
        return len(changes(self.repository.git, read_commit(self.repository.git, self.oid)))

    def signature(self, info: Info) -> Json | None:
        if self.oid not in self.repository.verified:
            return None
        return {"__typename": "GpgSignature", "isValid": True, "state": "VALID", "wasSignedByGitHub": True}

    def status(self, info: Info) -> Json | None:
        found = latest_statuses(self.repository, self.oid)
        if not found:
            return None
        contexts = [status_context(self.context, self.repository, status) for status in found]
        return {"id": node_id("SR", self.oid), "state": combined_state(found).upper(), "contexts": contexts}

    def statusCheckRollup(self, info: Info) -> Json | None:
        """All statuses and check runs of the commit in one state; None where nobody reported anything."""
        statuses, runs = latest_statuses(self.repository, self.oid), latest_runs(self.repository, self.oid)
        if not statuses and not runs:
            return None
        words = {status.state for status in statuses} | {_rolled(run) for run in runs}
        state = next((word for word in ("error", "failure", "pending") if word in words), "success")
        nodes = [check_run(self.context, self.repository, run) for run in runs]
        nodes += [status_context(self.context, self.repository, status) for status in statuses]

        def contexts(info: Info, **arguments: Any) -> Json:
            return connection(nodes, lambda node: node, arguments)

        return {"id": node_id("SCR", self.oid), "state": state.upper(), "contexts": contexts}


def _rolled(run: CheckRun) -> str:
    if run.status != "completed":
        return "pending"
    return "success" if run.conclusion in ("success", "neutral", "skipped") else "failure"


def status_context(context: Context, repository: Repository, status: Status) -> Json:
    """`StatusContext`."""
    return {
        "__typename": "StatusContext",
        "id": node_id("SC", status.id),
        "context": status.context,
        "state": status.state.upper(),
        "description": status.description,
        "targetUrl": status.target_url,
        "createdAt": stamp(status.created_at),
        "creator": actor(context, status.creator),
        "isRequired": lambda info, **arguments: is_required(repository, status.context, arguments),
    }


def is_required(repository: Repository, context: str, arguments: Json) -> bool:
    """Whether the base branch of the named pull request asks for this context."""
    for pull in repository.pulls():
        if arguments.get("pullRequestNumber") == pull.number or arguments.get("pullRequestId") == node_id("PR", pull.pull_id):
            protection = repository.protections.get(pull.base_ref)
            return protection is not None and context in protection.checks
    return False


def check_run(context: Context, repository: Repository, run: CheckRun) -> Json:
    """`CheckRun`."""
    app = run.suite.app
    url = f"{page(context.world, repository)}/runs/{run.id}"
    done = run.conclusion.upper() if run.conclusion else None
    return {
        "__typename": "CheckRun",
        "id": node_id("CR", run.id),
        "databaseId": run.id,
        "name": run.name,
        "status": run.status.upper(),
        "conclusion": done,
        "startedAt": stamp(run.started_at),
        "completedAt": stamp(run.completed_at),
        "externalId": run.external_id,
        "detailsUrl": run.details_url or url,
        "url": url,
        "title": run.output.get("title"),
        "summary": run.output.get("summary"),
        "text": run.output.get("text"),
        "isRequired": lambda info, **arguments: is_required(repository, run.name, arguments),
        "checkSuite": {
            "id": node_id("CS", run.suite.id),
            "databaseId": run.suite.id,
            "status": run.status.upper(),
            "conclusion": done,
            "app": {"id": node_id("A", app.id), "databaseId": app.id, "slug": app.slug, "name": app.slug},
        },
    }


def label(item: Label) -> Json:
    """`Label`."""
    return {"__typename": "Label", "id": node_id("LA", item.id), "name": item.name, "color": item.color, "description": item.description}
