"""Commits that GitHub makes, and therefore signs: one GraphQL document for a branch, its commit and, where wanted, its pull request.

GitHub signs what it creates itself for an App; a pushed commit of an App cannot be signed, for no key can be registered for it.
"""

import base64
from collections.abc import Mapping
from typing import Any

from bot.adapters.github import documents
from bot.adapters.github.reading import understood
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import Graph, Wire
from bot.domain.errors import BotError, OutcomeUnknown
from bot.ports import OpenedPull, SignedCommit

REF, COMMIT, PULL = "createRef", "createCommitOnBranch", "createPullRequest"


def commit(wire: Wire, wanted: SignedCommit, *, repository_id: str, ask: Ask) -> str:
    """The commit's id. A branch that an earlier try made already is no error: the commit itself compares its head."""
    fields = _fields(wanted, repository_id)
    graph = wire.graphql(documents.mutation("Commit", list(fields)), fields, ask)
    return _committed(graph)


def open_pull(
    wire: Wire, wanted: SignedCommit, pull: Mapping[str, str], *, repository_id: str, ask: Ask
) -> tuple[str, OpenedPull | BotError]:
    """Branch, commit and pull request at once; the commit's id, and the pull request or why there is none.

    `pull` holds baseRefName, title and body.
    """
    fields = _fields(wanted, repository_id) | {PULL: {"repositoryId": repository_id, "headRefName": wanted.branch, **pull}}
    graph = wire.graphql(documents.mutation("Open", list(fields)), fields, ask)
    oid = _committed(graph)
    made = graph.data.get(PULL)
    if not made:
        problem = graph.of(PULL)
        return oid, problem.error if problem is not None else OutcomeUnknown("GitHub's answer says nothing about the pull request.")
    with understood("the new pull request", write=True):
        node = made["pullRequest"]
        return oid, OpenedPull(number=int(node["number"]), node_id=str(node["id"]), url=str(node["url"]))


def _committed(graph: Graph) -> str:
    made = graph.data.get(COMMIT)
    if not made:
        for problem in (graph.of(COMMIT), graph.of(REF), *graph.problems):
            if problem is not None:
                raise problem.error
        raise OutcomeUnknown("GitHub's answer says nothing about the commit.")
    with understood("the commit", write=True):
        return str(made["commit"]["oid"])


def _fields(wanted: SignedCommit, repository_id: str) -> dict[str, dict[str, Any]]:
    headline, _, body = wanted.message.strip().partition("\n")
    additions = [{"path": path, "contents": base64.b64encode(content).decode()} for path, content in sorted(wanted.files.items())]
    commit: dict[str, Any] = {
        "branch": {"repositoryNameWithOwner": wanted.repository, "branchName": wanted.branch},
        "expectedHeadOid": wanted.expected,
        "message": {"headline": headline, "body": body.strip()},
        "fileChanges": {"additions": additions},
    }
    ref = {"repositoryId": repository_id, "name": f"refs/heads/{wanted.branch}", "oid": wanted.expected}
    return ({REF: ref} if wanted.create else {}) | {COMMIT: commit}
