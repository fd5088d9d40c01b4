"""Mutations of refs, and commits on branches. Those of one document run one after the other."""

import base64
import binascii
from dataclasses import dataclass

from bot.sandbox.github.errors import ApiError, unprocessable
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.graphql.nodes import Context, Info, Json
from bot.sandbox.github.graphql.objects import CommitNode, RefNode
from bot.sandbox.github.graphql.payloads import answer
from bot.sandbox.github.graphql.queries import ref_of, repository_of
from bot.sandbox.github.service import refs
from bot.sandbox.github.service.commits import commit_on_branch
from bot.sandbox.github.service.rules import push_refusal


@dataclass(frozen=True, slots=True)
class RefMutations:
    """Each field takes `input` and returns its payload."""

    context: Context

    def createRef(self, info: Info, input: Json) -> Json:
        context = self.context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "contents=write")
        name = input["name"]
        if repository.git.commit_of(name) is not None:
            raise unprocessable(f'A ref named "{name}" already exists in the repository.')
        refs.create_ref(context.world, repository, context.caller, name, input["oid"])
        return answer(self.context, input, ref=RefNode(context, repository, name, input["oid"]))

    def updateRef(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, name, _ = ref_of(context, input["refId"])
        context.allow(repository, "contents=write")
        refs.update_ref(context.world, repository, context.caller, name, input["oid"], force=bool(input.get("force")))
        return answer(self.context, input, ref=RefNode(context, repository, name, input["oid"]))

    def deleteRef(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, name, _ = ref_of(context, input["refId"])
        context.allow(repository, "contents=write")
        refs.delete_ref(context.world, repository, context.caller, name)
        return answer(self.context, input)

    def updateRefs(self, info: Info, input: Json) -> Json:
        """All or nothing: every `beforeOid` is compared before any ref moves."""
        context = self.context
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
        return answer(self.context, input)

    def createCommitOnBranch(self, info: Info, input: Json) -> Json:
        context, branch = self.context, input["branch"]
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
        return answer(self.context, input, commit=commit, ref=RefNode(context, repository, f"refs/heads/{name}", sha))
