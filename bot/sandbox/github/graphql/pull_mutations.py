"""Mutations of pull requests: opening, editing, merging, reverting, auto-merge, the merge queue."""

from dataclasses import dataclass

from bot.sandbox.github.graphql.nodes import Context, Info, Json
from bot.sandbox.github.graphql.payloads import answer
from bot.sandbox.github.graphql.pulls import PullNode, queue_node
from bot.sandbox.github.graphql.queries import label_of, pull_of, repository_of
from bot.sandbox.github.service import issues, merging, pulls, queue
from bot.sandbox.github.state import AutoMerge


@dataclass(frozen=True, slots=True)
class PullMutations:
    """Each field takes `input` and returns its payload."""

    context: Context

    def createPullRequest(self, info: Info, input: Json) -> Json:
        context = self.context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "pull_requests=write", "read")
        names = {"title": input["title"], "head": input["headRefName"], "base": input["baseRefName"]}
        names = {name: value.removeprefix("refs/heads/") if name != "title" else value for name, value in names.items()}
        pull = pulls.open_pull(context.world, repository, context.caller, **names, body=input.get("body"), draft=bool(input.get("draft")))
        return answer(self.context, input, pullRequest=PullNode(self.context, repository, pull))

    def updatePullRequest(self, info: Info, input: Json) -> Json:
        context = self.context
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
        return answer(self.context, input, pullRequest=PullNode(self.context, repository, pull))

    def _state(self, input: Json, state: str) -> Json:
        context = self.context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "pull_requests=write")
        pulls.edit_pull(context.world, repository, context.caller, pull, {"state": state})
        return answer(self.context, input, pullRequest=PullNode(self.context, repository, pull))

    def closePullRequest(self, info: Info, input: Json) -> Json:
        return self._state(input, "closed")

    def reopenPullRequest(self, info: Info, input: Json) -> Json:
        return self._state(input, "open")

    def mergePullRequest(self, info: Info, input: Json) -> Json:
        context = self.context
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
        return answer(self.context, input, pullRequest=PullNode(self.context, repository, pull))

    def revertPullRequest(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "contents=write,pull_requests=write")
        title, body, draft = input.get("title"), input.get("body"), bool(input.get("draft"))
        back = merging.revert_pull(context.world, repository, context.caller, pull, title=title, body=body, draft=draft)
        return answer(
            self.context,
            input,
            pullRequest=PullNode(self.context, repository, pull),
            revertPullRequest=PullNode(self.context, repository, back),
        )

    def enablePullRequestAutoMerge(self, info: Info, input: Json) -> Json:
        context = self.context
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
        return answer(self.context, input, pullRequest=PullNode(self.context, repository, pull))

    def disablePullRequestAutoMerge(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "contents=write,pull_requests=write")
        merging.disable_auto_merge(context.world, repository, context.caller, pull)
        return answer(self.context, input, pullRequest=PullNode(self.context, repository, pull))

    def enqueuePullRequest(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, pull = pull_of(context, input["pullRequestId"])
        context.allow(repository, "contents=write,pull_requests=write")
        entry = queue.enqueue(context.world, repository, context.caller, pull, expected=input.get("expectedHeadOid"))
        return answer(context, input, mergeQueueEntry=queue_node(context, repository, pull, entry))

    def dequeuePullRequest(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, pull = pull_of(context, input["id"])
        context.allow(repository, "contents=write,pull_requests=write")
        entry = queue.dequeue(context.world, repository, context.caller, pull, reason="MANUAL")
        return answer(context, input, mergeQueueEntry=queue_node(context, repository, pull, entry))
