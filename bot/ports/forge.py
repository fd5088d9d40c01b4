"""GitHub, or what speaks like it, and its page of deployments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.promotion import Promotion
from bot.domain.pull import PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPull:
    number: int
    node_id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCommit:
    """A commit that the forge shall make and sign, on `branch` at `expected`; the branch is made there first when `create` is set."""

    repository: str
    branch: str
    expected: str
    files: Mapping[str, bytes]
    message: str
    create: bool


class Forge(Protocol):
    """GitHub, or what speaks like it. `repository` is "owner/name"."""

    def identity(self) -> str:
        """The login under which we write ("promotion-bot[bot]")."""
        ...

    def pulls(self, repository: str, *, base_branch: str, prefix: str, numbers: Iterable[int] = ()) -> Sequence[PullRequest]:
        """All open pull requests onto `base_branch` from branches that begin with `prefix`, and those of `numbers` in any state."""
        ...

    def find_pull(self, repository: str, branch: str, *, head: str | None = None) -> PullRequest | None:
        """The newest pull request from this branch, in any state; only with this head commit where given. The look-up before a repeat."""
        ...

    def open_pull(self, repository: str, *, branch: str, base_branch: str, title: str, body: str) -> OpenedPull: ...

    def open_signed(self, commit: SignedCommit, *, base_branch: str, title: str, body: str) -> tuple[str, OpenedPull]:
        """Branch, commit and pull request in one request; the commit's id, and the pull request."""
        ...

    def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> None: ...

    def remove_label(self, repository: str, number: int, label: str) -> None:
        """Take a label off; one that is off already is no error."""
        ...

    def update_pull(self, repository: str, number: int, *, title: str, body: str) -> None: ...

    def close_pull(self, repository: str, number: int) -> None: ...

    def merge(self, repository: str, number: int, *, head: str, method: str, title: str, message: str = "") -> str:
        """Merge exactly this head; the commit on the base branch. `Stale` when the head moved or the base must be read again."""
        ...

    def queue_merge(self, repository: str, pull: PullRequest, *, head: str, method: str) -> None: ...

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
        """Bring the status comment, the check named `check` on the pull's head, and the bot's labels to this state.

        Writes only what differs from `bound`, which is what the last call returned (ids and content hashes) or empty;
        where empty the present comment is found by author and marker, so that none is doubled. Cosmetic: parts that the
        forge forbids are skipped and named under "problem" in the answer.
        """
        ...

    def react(self, repository: str, comment_id: int, reaction: str) -> None: ...

    def settle(self, repository: str, node_id: str, reaction: str, *, instead_of: str, hide: Sequence[str] = ()) -> None:
        """React to a comment in the place of an earlier reaction of ours, and fold comments (node ids) of ours; each part may be empty."""
        ...

    def reply(self, repository: str, number: int, body: str, *, marker: str) -> None:
        """One new comment, unless one with this hidden marker stands there already."""
        ...

    def permission(self, repository: str, login: str) -> str:
        """GitHub's role name of an account on the repository: admin, maintain, write, triage, read or none."""
        ...

    def via_app(self, repository: str, comment_id: int) -> str:
        """The slug of the App that wrote a comment with its author's token; empty where the author did it himself."""
        ...

    def account(self, login: str) -> int | None:
        """The id behind a login now; None when nobody has it."""
        ...

    def teams_of(self, person_login: str, teams: Sequence[str]) -> frozenset[str]:
        """Which of these teams ("org/slug") the account is an active member of."""
        ...

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
        """A commit that the forge makes and signs, on `branch` at `expected` (created there first when `create_from` is given)."""
        ...


class DeploymentPage(Protocol):
    """The forge's own record of what was deployed where."""

    def record(self, repository: str, promotion: Promotion, *, commit: str, state: str, known: str) -> str:
        """Say that `commit` is in_progress, success or failure in the promotion's stage; the record's id, to be given back as `known`.

        `known` begins with "?" where a try before this one may have made it, or, with an id behind it, may have added this state.
        """
        ...
