"""The forge port on GitHub. Each method says what it costs; every call is counted, paced and mapped in `wire.py`.

It leaves to others when anything is done, and to the engine the look-up after an `OutcomeUnknown`.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from bot.adapters.github import comments, documents, signed
from bot.adapters.github.auth import AppInstallation, Credentials
from bot.adapters.github.auth import AppKey as AppKey
from bot.adapters.github.budget import Budget, Priority
from bot.adapters.github.deployments import Deployments
from bot.adapters.github.errors import CLEAN_STATUS, PULL_EXISTS
from bot.adapters.github.face import Wanted, with_marker
from bot.adapters.github.issues import Issues
from bot.adapters.github.ledger import Ledger, branch_subject, pull_subject
from bot.adapters.github.pages import Known, Reader
from bot.adapters.github.people import People
from bot.adapters.github.reading import understood
from bot.adapters.github.reply import Ask
from bot.adapters.github.showing import Painter, Stage, add_labels, remove_label
from bot.adapters.github.wire import Wire
from bot.domain.errors import BotError, OutcomeUnknown, Refused, Stale, TransientError, UserError
from bot.domain.pull import PullRequest, PullState
from bot.ports import OpenedPull, SignedCommit


class GitHubForge:
    """Implements `Forge`. `ledger`, `budget` and `credentials` are open to metrics and to git."""

    def __init__(
        self,
        wire: Wire,
        credentials: Credentials,
        *,
        ledger: Ledger,
        budget: Budget,
        clock: Callable[[], datetime],
    ) -> None:
        self.ledger = ledger
        self.budget = budget
        self.credentials = credentials
        self._wire = wire
        self._known = Known()
        self._reader = Reader(wire, self._known, clock)
        self._people = People(wire, clock, visible=self._known.repositories.__contains__)
        self.deployments = Deployments(wire)
        self._issues = Issues(wire)
        self._painter = Painter(wire, self._reader, self._known)
        self._lock = threading.Lock()
        self._fresh: set[tuple[str, int]] = set()
        self._login = ""

    def identity(self) -> str:
        """The login under which we write. One REST call in the life of the process."""
        if not self._login:
            if isinstance(self.credentials, AppInstallation):
                self._login = f"{self.credentials.slug()}[bot]"
            else:
                ask = Ask(doing="read who we are", where="the token", needs="metadata: read")
                answer = self._wire.rest("GET", "/user", ask)
                with understood("our account"):
                    self._login = str(answer["login"])
        return self._login

    def pulls(self, repository: str, *, base_branch: str, prefix: str, numbers: Iterable[int] = ()) -> Sequence[PullRequest]:
        """One GraphQL query per 50 open pull requests onto the branch. A number that is no pull request is left out."""
        return self._reader.pulls(repository, base_branch=base_branch, prefix=prefix, numbers=numbers)

    def required_checks(self, repository: str, branch: str) -> frozenset[str]:
        """The names of the checks that the branch's rules require. One GraphQL query; `pulls` tells the same at no extra cost."""
        return frozenset(self._reader.required_checks(repository, branch).contexts)

    def find_pull(self, repository: str, branch: str, *, head: str | None = None) -> PullRequest | None:
        """One GraphQL query; not the search index, which lags."""
        return self._reader.find(repository, branch, head=head)

    def open_pull(self, repository: str, *, branch: str, base_branch: str, title: str, body: str) -> OpenedPull:
        """One REST call. Where one from this branch is open already, ours is adopted and anybody else's is `Refused`."""
        ask = Ask(
            doing="open a pull request",
            where=branch_subject(repository, branch),
            needs="pull_requests: write",
            write=True,
        )
        content = {"title": title, "head": branch, "base": base_branch, "body": body}
        try:
            answer = self._wire.rest("POST", f"/repos/{repository}/pulls", ask, body=content)
        except Refused as error:
            if error.code != PULL_EXISTS:
                raise
            return self._adopt(repository, branch, base_branch)
        with understood("the new pull request", write=True):
            opened = OpenedPull(number=int(answer["number"]), node_id=str(answer["node_id"]), url=str(answer["html_url"]))
        return self._opened(repository, branch, opened)

    def open_signed(self, commit: SignedCommit, *, base_branch: str, title: str, body: str) -> tuple[str, OpenedPull]:
        """Branch, signed commit and pull request: one GraphQL document (one REST call more where the branch is not seen in time)."""
        ask = self._commit_ask(commit.repository, commit.branch, weight=3)
        pull = {"baseRefName": base_branch, "title": title, "body": body}
        home = self._reader.repository_id(commit.repository)
        oid, opened = signed.open_pull(self._wire, commit, pull, repository_id=home, ask=ask)
        if isinstance(opened, OutcomeUnknown):
            raise opened
        if isinstance(opened, BotError):
            return oid, self.open_pull(commit.repository, branch=commit.branch, base_branch=base_branch, title=title, body=body)
        return oid, self._opened(commit.repository, commit.branch, opened)

    def commit_files(
        self,
        repository: str,
        *,
        branch: str,
        expected: str,
        files: Mapping[str, bytes],
        message: str,
        create_from: str | None = None,
    ) -> str:
        """One GraphQL document. `Stale` when the branch is not at `expected`."""
        wanted = SignedCommit(
            repository=repository,
            branch=branch,
            expected=create_from or expected,
            files=files,
            message=message,
            create=create_from is not None,
        )
        home = self._reader.repository_id(repository) if wanted.create else ""
        return signed.commit(self._wire, wanted, repository_id=home, ask=self._commit_ask(repository, branch, weight=1))

    def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> None:
        """One REST call; labels that the repository lacks are made."""
        if labels:
            add_labels(self._wire, self._known, repository, number, list(labels))

    def remove_label(self, repository: str, number: int, label: str) -> None:
        """One REST call."""
        remove_label(self._wire, repository, number, label)

    def update_pull(self, repository: str, number: int, *, title: str, body: str) -> None:
        """One REST call."""
        ask = self._pull_ask("change the pull request", repository, number)
        self._wire.rest("PATCH", f"/repos/{repository}/pulls/{number}", ask, body={"title": title, "body": body})

    def close_pull(self, repository: str, number: int) -> None:
        """One REST call."""
        ask = self._pull_ask("close the pull request", repository, number)
        self._wire.rest("PATCH", f"/repos/{repository}/pulls/{number}", ask, body={"state": "closed"})

    def merge(self, repository: str, number: int, *, head: str, method: str, title: str, message: str = "") -> str:
        """One REST call, nothing before it: GitHub compares the head. `Stale` when head or base moved, or it cannot be merged as it is."""
        ask = self._pull_ask("merge the pull request", repository, number, needs="contents: write", priority=Priority.URGENT)
        body = {"sha": head, "merge_method": method, "commit_title": title, "commit_message": message}
        answer = self._wire.rest(
            "PUT", f"/repos/{repository}/pulls/{number}/merge", ask, body={key: value for key, value in body.items() if value}
        )
        with understood("the merge", write=True):
            if not answer["merged"]:
                raise Stale(f"GitHub did not merge {ask.where}: {answer.get('message', '')}")
            return str(answer["sha"])

    def queue_merge(self, repository: str, pull: PullRequest, *, head: str, method: str) -> None:
        """One GraphQL document. Where nothing is left to wait for, GitHub refuses auto-merge: into the queue then, else merged at once."""
        ask = self._pull_ask("hand the pull request to auto-merge", repository, pull.number, priority=Priority.URGENT)
        entry = {"pullRequestId": pull.node_id, "expectedHeadOid": head}
        try:
            self._wire.graphql(documents.AUTO_MERGE, {"input": {**entry, "mergeMethod": method.upper()}}, ask).whole()
        except Refused as error:
            if error.code != CLEAN_STATUS:
                raise
            try:
                self._wire.graphql(documents.ENQUEUE, {"input": entry}, ask).whole()
            except UserError:
                self.merge(repository, pull.number, head=head, method=method, title="")

    def show(
        self,
        repository: str,
        pull: PullRequest,
        *,
        comment: str,
        check: str,
        conclusion: str,
        title: str,
        summary: str,
        labels: Sequence[str],
        bound: Mapping[str, str],
    ) -> Mapping[str, str]:
        """Nothing when nothing differs. Else one GraphQL document (with a token and a new status one REST call beside it); before
        something is created that may be there already, one query. Labels that the repository lacks cost one REST call, once."""
        wanted = Wanted(
            comment=with_marker(comment),
            check=check,
            conclusion=conclusion,
            title=title,
            summary=summary,
            labels=tuple(labels),
            head=pull.head,
        )
        stage = Stage(repository=repository, pull=pull, wanted=wanted, us=self.identity(), is_app=self.credentials.is_app)
        with self._lock:
            fresh = (repository, pull.number) in self._fresh
            self._fresh.discard((repository, pull.number))
        return self._painter.show(stage, bound, fresh=fresh)

    def react(self, repository: str, comment_id: int, reaction: str) -> None:
        """One REST call."""
        ask = Ask(doing="react to a comment", where=repository, needs="issues: write", write=True, priority=Priority.COSMETIC)
        self._wire.rest("POST", f"/repos/{repository}/issues/comments/{comment_id}/reactions", ask, body={"content": reaction})

    def settle(self, repository: str, node_id: str, reaction: str, *, instead_of: str, hide: Sequence[str] = ()) -> None:
        """One GraphQL document. What cannot be taken back or folded (it is gone) is no error."""
        ask = Ask(doing="react to a comment", where=repository, needs="issues: write", write=True, priority=Priority.COSMETIC)
        document, variables = documents.settling(node_id, reaction, instead_of=instead_of, hide=hide)
        graph = self._wire.graphql(document, variables, ask)
        for problem in graph.problems:
            if not isinstance(problem.error, UserError) or problem.path[:1] == ("addReaction",):
                raise problem.error

    def reply(self, repository: str, number: int, body: str, *, marker: str) -> None:
        """One GraphQL query to look, one REST call to write."""
        comments.reply(self._wire, self._reader, repository, number, body, marker=marker)

    def keep_comment(self, repository: str, number: int, body: str, *, name: str, stamp: str) -> None:
        """One comment of ours under this name, edited in place where it bears another stamp. One GraphQL query, at most one REST call."""
        comments.keep(self._wire, self._reader, repository, number, body, name=name, stamp=stamp)

    def open_issue(self, repository: str, *, title: str, body: str, mark: str) -> str:
        """The issue's address; where one with this hidden mark is there already, that one's. One REST call to look, one to write."""
        return self._issues.open(repository, title=title, body=body, mark=mark, author=self.identity())

    def permission(self, repository: str, login: str) -> str:
        """One REST call, remembered for a minute (half a minute where it allows nothing)."""
        return self._people.permission(repository, login)

    def may_push(self, repository: str) -> bool:
        """May we ourselves write to the repository? One REST call with a token; an App's installation says so with its token."""
        if isinstance(self.credentials, AppInstallation):
            return self.credentials.granted().get("contents") == "write"
        return self._people.may_push(repository)

    def via_app(self, repository: str, comment_id: int) -> str:
        """One REST call: the App that wrote a comment in its author's name, or empty. GraphQL does not tell."""
        return self._people.via_app(repository, comment_id)

    def account(self, login: str) -> int | None:
        """One REST call: the id behind a login; None when nobody has it."""
        return self._people.account(login)

    def login_of(self, account: int) -> str | None:
        """One REST call: the login that an account has now; None when there is no such account."""
        return self._people.login_of(account)

    def teams_of(self, person_login: str, teams: Sequence[str]) -> frozenset[str]:
        """One REST call per team, remembered like permissions."""
        return self._people.teams_of(person_login, teams)

    def _opened(self, repository: str, branch: str, opened: OpenedPull) -> OpenedPull:
        self.ledger.join(branch_subject(repository, branch), pull_subject(repository, opened.number))
        with self._lock:
            self._fresh.add((repository, opened.number))
        return opened

    def _adopt(self, repository: str, branch: str, base_branch: str) -> OpenedPull:
        found = self._reader.find(repository, branch, head=None)
        if found is None or found.state is not PullState.OPEN:
            raise TransientError(f"GitHub says that a pull request from {branch} is open, and does not show it yet.")
        if not found.ours or found.base_branch != base_branch:
            raise Refused(
                f"A pull request from {branch} is open already, and it is not ours.",
                where=found.url,
                fix="Close it, or rename its branch.",
                code="PullNotOurs",
            )
        return OpenedPull(number=found.number, node_id=found.node_id, url=found.url)

    def _commit_ask(self, repository: str, branch: str, *, weight: int) -> Ask:
        return Ask(
            doing="commit through the API",
            where=branch_subject(repository, branch),
            needs="contents: write",
            write=True,
            priority=Priority.URGENT,
            weight=weight,
        )

    def _pull_ask(
        self,
        doing: str,
        repository: str,
        number: int,
        *,
        needs: str = "pull_requests: write",
        priority: Priority = Priority.NORMAL,
    ) -> Ask:
        return Ask(doing=doing, where=pull_subject(repository, number), needs=needs, write=True, known=True, priority=priority)
