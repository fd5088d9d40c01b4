"""Read pull requests whole: one query for fifty of them, and more only where a conversation or a list of checks is longer than a page.

Decides how much is asked for at once (less, when GitHub finds a query too large) and remembers what never changes: the repository's id,
label ids, and whether a comment was written through another App (which only REST tells). Mapping is left to `reading.py`.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.adapters.github import documents
from bot.adapters.github.ledger import pull_subject
from bot.adapters.github.reading import (
    Node,
    Required,
    comment,
    label_ids,
    pull_request,
    required_checks,
    review,
    rollup,
    understood,
)
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import MOST_PAGES, Graph, Wire
from bot.domain.errors import Refused, TransientError
from bot.domain.instants import format_instant
from bot.domain.pull import Comment, PullRequest, Review

SIZES = (documents.PAGE, 20, 5)
_NUMBERED = re.compile(r"p[0-9]+\Z")
MOST_NUMBERS = 50


class Known:
    """What GitHub never changes once told, kept for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.repositories: dict[str, str] = {}
        self.labels: dict[tuple[str, str], str] = {}
        self.via_app: dict[int, bool] = {}

    def learn_labels(self, repository: str, ids: Mapping[str, str]) -> None:
        with self._lock:
            for name, node_id in ids.items():
                self.labels[repository, name] = node_id

    def forget_labels(self, repository: str, names: Iterable[str]) -> None:
        """A label that was deleted and made anew has another id."""
        with self._lock:
            for name in names:
                self.labels.pop((repository, name), None)


class Reader:
    """Reads through `wire`. `clock` says when a pull request was read (UTC)."""

    def __init__(self, wire: Wire, known: Known, clock: Callable[[], datetime]) -> None:
        self._wire = wire
        self._known = known
        self._clock = clock

    def pulls(self, repository: str, *, base_branch: str, prefix: str, numbers: Iterable[int]) -> list[PullRequest]:
        """Open ones of `prefix` onto the branch, then those of `numbers` that are not among them; each once, without forks'."""
        owner, name = split(repository)
        wanted = sorted(set(numbers))
        found: dict[int, PullRequest] = {}
        variables: dict[str, Any] = {"owner": owner, "name": name, "base": base_branch, "ref": f"refs/heads/{base_branch}"}
        after: str | None = None
        for page in range(MOST_PAGES):
            batch, wanted = wanted[:MOST_NUMBERS], wanted[MOST_NUMBERS:]
            graph = self._sized(documents.pulls(batch), {**variables, "after": after}, self._ask("read the pull requests", repository))
            home = self._home(repository, graph)
            now = self._clock()
            with understood(f"the pull requests of {repository}"):
                required = required_checks(home["ref"])
                connection = home["pullRequests"]
                nodes = [node for node in connection["nodes"] if str(node["headRefName"]).startswith(prefix)] if after or not page else []
                nodes += [home[f"p{number}"] for number in batch if home.get(f"p{number}") is not None]
                for node in nodes:
                    if not node["isCrossRepository"] and int(node["number"]) not in found:
                        found[int(node["number"])] = self._whole(node, repository, required, now)
                more = connection["pageInfo"]["hasNextPage"]
                if more and connection["pageInfo"]["endCursor"] in (None, "", after):
                    raise ValueError("a page that leads nowhere")
                after = connection["pageInfo"]["endCursor"] if more else after
            if not more and not wanted:
                return list(found.values())
        raise TransientError(f"{repository} has more open pull requests onto {base_branch} than can be read.")

    def find(self, repository: str, branch: str, *, head: str | None) -> PullRequest | None:
        """The newest one from this branch of the repository itself, in any state."""
        owner, name = split(repository)
        ask = self._ask("look for a pull request", repository)
        graph = self._wire.graphql(documents.FIND, {"owner": owner, "name": name, "branch": branch}, ask)
        home = self._home(repository, graph)
        now = self._clock()
        with understood(f"the pull requests of {repository}"):
            for node in reversed(home["pullRequests"]["nodes"]):
                if not node["isCrossRepository"] and head in (None, node["headRefOid"]):
                    return self._whole(node, repository, Required(), now)
        return None

    def required_checks(self, repository: str, branch: str) -> Required:
        """What the branch's rules require, as far as GitHub shows it."""
        owner, name = split(repository)
        ask = self._ask("read the rules of a branch", repository)
        graph = self._wire.graphql(documents.RULES, {"owner": owner, "name": name, "ref": f"refs/heads/{branch}"}, ask)
        with understood(f"the rules of {branch}"):
            return required_checks(self._home(repository, graph)["ref"])

    def repository_id(self, repository: str) -> str:
        """GitHub's node id of the repository; asked for once."""
        if repository not in self._known.repositories:
            owner, name = split(repository)
            ask = self._ask("read the repository", repository)
            self._home(repository, self._wire.graphql(documents.REPOSITORY, {"owner": owner, "name": name}, ask))
        return self._known.repositories[repository]

    def thread(self, repository: str, number: int) -> tuple[str, list[Comment]]:
        """The pull request's node id and its whole conversation, oldest first."""
        owner, name = split(repository)
        variables: dict[str, Any] = {"owner": owner, "name": name, "number": number}
        ask = self._ask("read the conversation", pull_subject(repository, number), known=True)
        graph = self._wire.graphql(documents.THREAD, {**variables, "before": None}, ask)
        with understood(f"the conversation of {repository}#{number}"):
            pull = self._home(repository, graph)["pullRequest"]
            return str(pull["id"]), self._comments(pull, repository)

    def _sized(self, document: str, variables: Mapping[str, Any], ask: Ask) -> Graph:
        """Ask for fifty; for fewer where GitHub says that this is too much or gives up on it."""
        for size in SIZES:
            try:
                return self._wire.graphql(document, {**variables, "first": size}, ask)
            except TransientError as error:
                if size == SIZES[-1] or not any(sign in error.what for sign in ("too large", "answered 502", "answered 504")):
                    raise
        raise AssertionError("the last size returns or raises")

    def _home(self, repository: str, graph: Graph) -> Node:
        """The repository's part of an answer. A number that is no pull request (or not any more) is left out, and rules that are not
        shown to us are none; everything else must be there."""
        for problem in graph.problems:
            inside = problem.path[1:]
            if problem.gone and len(inside) == 1 and _NUMBERED.match(inside[0]):
                continue
            if inside[:1] == ("ref",) and isinstance(problem.error, Refused):
                continue
            if isinstance(problem.error, Refused) and "statusCheckRollup" in inside:
                problem.error.fix = "Give the App (or the token) the permissions 'checks: read' and 'statuses: read'."
            raise problem.error
        home = graph.data.get("repository")
        if not isinstance(home, Mapping):
            raise TransientError(f"GitHub's answer about {repository} is empty.")
        with understood(repository):
            if "id" in home:
                self._known.repositories[repository] = str(home["id"])
            if "labels" in home:
                self._known.learn_labels(repository, label_ids(home["labels"]))
        return home

    def _whole(self, node: Node, repository: str, required: Required, now: datetime) -> PullRequest:
        self._known.learn_labels(repository, label_ids(node["labels"]))
        return pull_request(
            node,
            repository=repository,
            now=now,
            required=required,
            contexts=self._contexts(node, repository),
            comments=self._told(self._comments(node, repository), repository, int(node["number"])),
            reviews=self._reviews(node, repository),
        )

    def _comments(self, node: Node, repository: str) -> list[Comment]:
        return [comment(entry) for entry in self._older(node, "comments", documents.OLDER_COMMENTS, repository)]

    def _reviews(self, node: Node, repository: str) -> list[Review]:
        found = (review(entry) for entry in self._older(node, "reviews", documents.OLDER_REVIEWS, repository))
        return [entry for entry in found if entry is not None]

    def _older(self, node: Node, field: str, document: str, repository: str) -> list[Node]:
        """A list that is read from its end, oldest first, whole; doubles of shifted pages are left out."""
        pages: list[Sequence[Node]] = []
        connection = node[field]
        for _ in range(MOST_PAGES):
            pages.insert(0, connection["nodes"])
            if not connection["pageInfo"]["hasPreviousPage"]:
                entries = {entry["fullDatabaseId"]: entry for page in pages for entry in page}
                return list(entries.values())
            variables = {"id": node["id"], "before": connection["pageInfo"]["startCursor"]}
            connection = self._node(document, variables, repository)[field]
        raise TransientError(f"A list of {field} in {repository} is longer than can be read.")

    def _contexts(self, node: Node, repository: str) -> list[Node]:
        contexts = rollup(node)
        found: list[Node] = []
        for _ in range(MOST_PAGES):
            if contexts is None:
                return found
            found.extend(contexts["nodes"])
            if not contexts["pageInfo"]["hasNextPage"]:
                return found
            variables = {"id": node["id"], "after": contexts["pageInfo"]["endCursor"]}
            contexts = rollup({**self._node(documents.MORE_CHECKS, variables, repository), "headRefOid": node["headRefOid"]})
        raise TransientError(f"A list of checks in {repository} is longer than can be read.")

    def _node(self, document: str, variables: Mapping[str, Any], repository: str) -> Node:
        node: Node = self._wire.graphql(document, variables, self._ask("read a pull request", repository, known=True)).whole()["node"]
        return node

    def _told(self, comments: list[Comment], repository: str, number: int) -> list[Comment]:
        """With `via_app` filled in for comments of people that may be commands. GraphQL does not tell it; once asked, it is remembered."""
        unknown = [one for one in comments if _may_command(one) and one.id not in self._known.via_app]
        if unknown:
            since = format_instant(min(one.created_at for one in unknown))
            ask = self._ask("read comments", pull_subject(repository, number), known=True)
            for page in range(1, MOST_PAGES + 1):
                path = f"/repos/{repository}/issues/{number}/comments?per_page=100&page={page}&since={quote(since)}"
                answer = self._wire.rest("GET", path, ask)
                for entry in answer:
                    self._known.via_app[int(entry["id"])] = entry.get("performed_via_github_app") is not None
                if len(answer) < 100:
                    break
        return [_with_app(one, via_app=self._known.via_app.get(one.id, _may_command(one))) for one in comments]

    def _ask(self, doing: str, where: str, *, known: bool = False) -> Ask:
        return Ask(doing=doing, where=where, needs="pull_requests: read", known=known)


def _may_command(one: Comment) -> bool:
    """Cheap and generous: some line begins with a slash, or with somebody's name."""
    return not one.ours and not one.author.bot and any(line.lstrip().startswith(("/", "@")) for line in one.body.splitlines())


def _with_app(one: Comment, *, via_app: bool) -> Comment:
    return one if one.via_app == via_app else replace(one, via_app=via_app)


def split(repository: str) -> tuple[str, str]:
    owner, _, name = repository.partition("/")
    return owner, name
