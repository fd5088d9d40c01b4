"""The mutations of GraphQL: the same services as REST, found by node ids. Those of one document run one after the other."""

import base64
import binascii
import json
from typing import Any

from bot.sandbox.github.errors import ApiError, unprocessable
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.graphql.nodes import Context, Info, Json
from bot.sandbox.github.graphql.objects import CommitNode, RefNode, check_run, label
from bot.sandbox.github.graphql.people import actor
from bot.sandbox.github.graphql.pulls import PullNode, comment_node
from bot.sandbox.github.graphql.queries import comment_of, issue_of, label_of, missing, pull_of, ref_of, repository_of
from bot.sandbox.github.ids import node_id, parse_node_id
from bot.sandbox.github.service import checks, issues, merging, pulls, refs
from bot.sandbox.github.service.commits import commit_on_branch
from bot.sandbox.github.service.rules import push_refusal
from bot.sandbox.github.state import AutoMerge, Deployment, Issue, Pull, Repository
from bot.sandbox.github.views.times import stamp

REACTIONS = {
    "THUMBS_UP": "+1",
    "THUMBS_DOWN": "-1",
    "LAUGH": "laugh",
    "HOORAY": "hooray",
    "CONFUSED": "confused",
    "HEART": "heart",
    "ROCKET": "rocket",
    "EYES": "eyes",
}


class Mutation:
    """The fields of `Mutation`; each takes `input` and returns its payload."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def _answer(self, given: Json, **found: Any) -> Json:
        return {"clientMutationId": given.get("clientMutationId"), "actor": actor(self._context, self._context.caller.account)} | found

    def _pull(self, repository: Repository, pull: Pull) -> PullNode:
        return PullNode(self._context, repository, pull)

    def _subject(self, repository: Repository, issue: Issue) -> Any:
        if isinstance(issue, Pull):
            return self._pull(repository, issue)
        return {"__typename": "Issue", "id": node_id("I", issue.id), "number": issue.number, "title": issue.title}

    # refs and commits ---------------------------------------------------------------------------

    def createRef(self, info: Info, input: Json) -> Json:
        context = self._context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "contents=write")
        name = input["name"]
        if repository.git.commit_of(name) is not None:
            raise unprocessable(f'A ref named "{name}" already exists in the repository.')
        refs.create_ref(context.world, repository, context.caller, name, input["oid"])
        return self._answer(input, ref=RefNode(context, repository, name, input["oid"]))

    def updateRef(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, name, _ = ref_of(context, input["refId"])
        context.allow(repository, "contents=write")
        refs.update_ref(context.world, repository, context.caller, name, input["oid"], force=bool(input.get("force")))
        return self._answer(input, ref=RefNode(context, repository, name, input["oid"]))

    def deleteRef(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, name, _ = ref_of(context, input["refId"])
        context.allow(repository, "contents=write")
        refs.delete_ref(context.world, repository, context.caller, name)
        return self._answer(input)

    def updateRefs(self, info: Info, input: Json) -> Json:
        """All or nothing: every `beforeOid` is compared before any ref moves."""
        context = self._context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "contents=write")
        current, moves = repository.git.refs("refs/"), []
        for change in input["refUpdates"]:
            name, new = change["name"], change["afterOid"]
            old = current.get(name, ZERO)
            before = change.get("beforeOid")
            if before is not None and before != old:
                raise ApiError(422, f"The ref {name} is at {old}, not at {before}.", graphql_type="STALE_DATA")
            refusal = push_refusal(repository, context.caller.account, name, old, new)
            if new != ZERO and repository.git.commit_of(new) is None:
                refusal = "Object does not exist"
            elif ZERO not in (old, new) and not change.get("force") and not repository.git.is_ancestor(old, new):
                refusal = "Update is not a fast forward"
            if refusal:
                raise unprocessable(refusal)
            moves.append((name, old, new))
        for name, old, new in moves:
            refs.advance(context.world, repository, context.caller, name, old, new)
        return self._answer(input)

    def createCommitOnBranch(self, info: Info, input: Json) -> Json:
        context, branch = self._context, input["branch"]
        if branch.get("id"):
            repository, full, _ = ref_of(context, branch["id"])
            name = full.removeprefix("refs/heads/")
        elif branch.get("repositoryNameWithOwner") and branch.get("branchName"):
            name = branch["branchName"].removeprefix("refs/heads/")
            repository = context.world.repository(branch["repositoryNameWithOwner"])
        else:
            raise unprocessable("A branch id, or a repository name and a branch name, must be given.")
        context.allow(repository, "contents=write")
        message, changed = input["message"], input.get("fileChanges") or {}
        files: dict[str, bytes | None] = {item["path"]: None for item in changed.get("deletions") or []}
        for item in changed.get("additions") or []:
            try:
                files[item["path"]] = base64.b64decode(item["contents"], validate=True)
            except binascii.Error:
                raise unprocessable(f"The contents of {item['path']} are not valid Base64.") from None
        text = message["headline"] + (f"\n\n{message['body']}" if message.get("body") else "")
        sha = commit_on_branch(context.world, repository, context.caller, name, files, message=text, expected=input["expectedHeadOid"])
        commit = CommitNode(context, repository, sha)
        return self._answer(input, commit=commit, ref=RefNode(context, repository, f"refs/heads/{name}", sha))

    # pull requests ------------------------------------------------------------------------------

    def createPullRequest(self, info: Info, input: Json) -> Json:
        context = self._context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "pull_requests=write", "read")
        names = {"title": input["title"], "head": input["headRefName"], "base": input["baseRefName"]}
        names = {name: value.removeprefix("refs/heads/") if name != "title" else value for name, value in names.items()}
        pull = pulls.open_pull(context.world, repository, context.caller, **names, body=input.get("body"), draft=bool(input.get("draft")))
        return self._answer(input, pullRequest=self._pull(repository, pull))

    def updatePullRequest(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "pull_requests=write")
        changes = {name: input[name] for name in ("title", "body") if input.get(name) is not None}
        if input.get("baseRefName"):
            changes["base"] = input["baseRefName"]
        if input.get("state"):
            changes["state"] = input["state"].lower()
        pulls.edit_pull(context.world, repository, context.caller, pull, changes)
        if input.get("labelIds") is not None:
            wanted = [label_of(repository, identifier) for identifier in input["labelIds"]]
            issues.set_labels(context.world, repository, context.caller, pull, wanted)
        return self._answer(input, pullRequest=self._pull(repository, pull))

    def _state(self, input: Json, state: str) -> Json:
        context = self._context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "pull_requests=write")
        pulls.edit_pull(context.world, repository, context.caller, pull, {"state": state})
        return self._answer(input, pullRequest=self._pull(repository, pull))

    def closePullRequest(self, info: Info, input: Json) -> Json:
        return self._state(input, "closed")

    def reopenPullRequest(self, info: Info, input: Json) -> Json:
        return self._state(input, "open")

    def mergePullRequest(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "contents=write")
        merging.merge_pull(
            context.world,
            repository,
            context.caller,
            pull,
            method=(input.get("mergeMethod") or "MERGE").lower(),
            expected=input.get("expectedHeadOid"),
            wording=(input.get("commitHeadline"), input.get("commitBody")),
        )
        return self._answer(input, pullRequest=self._pull(repository, pull))

    def revertPullRequest(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "contents=write,pull_requests=write")
        title, body, draft = input.get("title"), input.get("body"), bool(input.get("draft"))
        back = merging.revert_pull(context.world, repository, context.caller, pull, title=title, body=body, draft=draft)
        return self._answer(input, pullRequest=self._pull(repository, pull), revertPullRequest=self._pull(repository, back))

    def enablePullRequestAutoMerge(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "contents=write,pull_requests=write")
        auto = AutoMerge(
            by=context.caller.account,
            method=(input.get("mergeMethod") or "MERGE").lower(),
            title=input.get("commitHeadline"),
            message=input.get("commitBody"),
            enabled_at=context.world.now(),
        )
        expected = input.get("expectedHeadOid")
        merging.enable_auto_merge(context.world, repository, context.caller, pull, auto, expected=expected)
        return self._answer(input, pullRequest=self._pull(repository, pull))

    def disablePullRequestAutoMerge(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "contents=write,pull_requests=write")
        merging.disable_auto_merge(context.world, repository, context.caller, pull)
        return self._answer(input, pullRequest=self._pull(repository, pull))

    # labels and talk ----------------------------------------------------------------------------

    def createLabel(self, info: Info, input: Json) -> Json:
        context = self._context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "issues=write; pull_requests=write")
        made = issues.create_label(
            context.world, repository, context.caller, input["name"], color=input["color"], description=input.get("description")
        )
        return self._answer(input, label=label(made))

    def addLabelsToLabelable(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, issue = issue_of(context, input["labelableId"])
        context.allow(repository, "issues=write; pull_requests=write", "triage")
        found = [label_of(repository, identifier) for identifier in input["labelIds"]]
        issues.add_labels(context.world, repository, context.caller, issue, found)
        return self._answer(input, labelable=self._subject(repository, issue))

    def removeLabelsFromLabelable(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, issue = issue_of(context, input["labelableId"])
        context.allow(repository, "issues=write; pull_requests=write", "triage")
        for found in [label_of(repository, identifier) for identifier in input["labelIds"]]:
            if found in issue.labels:
                issues.remove_label(context.world, repository, context.caller, issue, found.name)
        return self._answer(input, labelable=self._subject(repository, issue))

    def addComment(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, issue = issue_of(context, input["subjectId"])
        context.allow(repository, "issues=write; pull_requests=write", "read")
        comment = issues.create_comment(context.world, repository, context.caller, issue, input["body"])
        edge = {"cursor": str(len(issue.comments)), "node": comment_node(context, repository, issue, comment)}
        return self._answer(input, commentEdge=edge, subject=self._subject(repository, issue))

    def updateIssueComment(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, issue, comment = comment_of(context, input["id"])
        own = comment.author is context.caller.account
        context.allow(repository, "issues=write; pull_requests=write", "read" if own else "write")
        issues.edit_comment(context.world, repository, context.caller, issue, comment, input["body"])
        return self._answer(input, issueComment=comment_node(context, repository, issue, comment))

    def minimizeComment(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, issue, comment = comment_of(context, input["subjectId"])
        context.allow(repository, "issues=write; pull_requests=write")
        comment.minimized = input["classifier"].lower().replace("_", "-")
        return self._answer(input, minimizedComment=comment_node(context, repository, issue, comment))

    def addReaction(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, _, comment = comment_of(context, input["subjectId"])
        context.allow(repository, "issues=write; pull_requests=write", "read")
        reaction, _ = issues.react(context.world, context.caller, comment, REACTIONS[input["content"]])
        found = {"id": node_id("REA", reaction.id), "databaseId": reaction.id, "content": input["content"]}
        return self._answer(input, reaction=found | {"createdAt": stamp(reaction.created_at), "user": None})

    # checks and deployments ---------------------------------------------------------------------

    def _check_fields(self, input: Json) -> Json:
        names = {
            "headSha": "head_sha",
            "name": "name",
            "status": "status",
            "conclusion": "conclusion",
            "detailsUrl": "details_url",
            "externalId": "external_id",
            "startedAt": "started_at",
            "completedAt": "completed_at",
            "output": "output",
        }
        found = {names[name]: value for name, value in input.items() if name in names and value is not None}
        return found | {name: str(found[name]).lower() for name in ("status", "conclusion") if name in found}

    def createCheckRun(self, info: Info, input: Json) -> Json:
        context = self._context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "checks=write")
        app = context.caller.through_app
        run = checks.create_check_run(context.world, repository, context.caller, app, self._check_fields(input))
        return self._answer(input, checkRun=check_run(context, repository, run))

    def updateCheckRun(self, info: Info, input: Json) -> Json:
        context = self._context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "checks=write")
        found = parse_node_id(input["checkRunId"])
        if found is None or found[0] != "CR":
            raise missing(input["checkRunId"])
        fields = self._check_fields(input)
        run = checks.update_check_run(context.world, repository, context.caller, context.caller.through_app, int(found[1]), fields)
        return self._answer(input, checkRun=check_run(context, repository, run))

    def createDeployment(self, info: Info, input: Json) -> Json:
        context = self._context
        repository, name, _ = ref_of(context, input["refId"])
        context.allow(repository, "deployments=write")
        fields = {"ref": name.removeprefix("refs/heads/"), "environment": input.get("environment"), "task": input.get("task")}
        fields |= {"description": input.get("description"), "required_contexts": input.get("requiredContexts")}
        made = checks.create_deployment(
            context.world, repository, context.caller, fields | {"payload": json.loads(input.get("payload") or "{}")}
        )
        return self._answer(input, deployment=deployment_node(made), autoMerged=False)

    def createDeploymentStatus(self, info: Info, input: Json) -> Json:
        context, found = self._context, parse_node_id(input["deploymentId"])
        for repository in context.world.repositories.values():
            deployment = repository.deployments.get(int(found[1])) if found and found[0] == "DE" else None
            if deployment is None:
                continue
            context.allow(repository, "deployments=write")
            fields = {"state": input["state"].lower(), "description": input.get("description"), "environment": input.get("environment")}
            fields |= {"log_url": input.get("logUrl"), "environment_url": input.get("environmentUrl")}
            fields |= {"auto_inactive": input.get("autoInactive", True)}
            checks.create_deployment_status(context.world, repository, context.caller, deployment, fields)
            return self._answer(input, deploymentStatus=status_node(deployment))
        raise missing(input["deploymentId"])


def deployment_node(deployment: Deployment) -> Json:
    """`Deployment`."""
    state = deployment.statuses[-1].state if deployment.statuses else "pending"
    return {
        "__typename": "Deployment",
        "id": node_id("DE", deployment.id),
        "databaseId": deployment.id,
        "commitOid": deployment.sha,
        "createdAt": stamp(deployment.created_at),
        "environment": deployment.environment,
        "state": "ACTIVE" if state == "success" else state.upper(),
        "latestStatus": status_node(deployment) if deployment.statuses else None,
    }


def status_node(deployment: Deployment) -> Json:
    """`DeploymentStatus`: the newest one."""
    status = deployment.statuses[-1]
    return {
        "__typename": "DeploymentStatus",
        "id": node_id("DES", status.id),
        "createdAt": stamp(status.created_at),
        "description": status.description,
        "environmentUrl": status.environment_url or None,
        "logUrl": status.log_url or None,
        "state": status.state.upper(),
    }
