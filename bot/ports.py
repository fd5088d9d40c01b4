"""What the bot needs from the outside, as Protocols: git repositories, the forge, clusters, chat, history.

Every method may raise `TransientError` (tried again later) or `UserError` (a person must mend something), and nothing else.
A write whose answer was lost raises `OutcomeUnknown`; a compare-and-swap that failed raises `Stale`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.action import Notify, Row, SaveDeployment
from bot.domain.card import Card
from bot.domain.directive import Directive
from bot.domain.facts import Answer, Health, Quarantine, Question, StageHold
from bot.domain.promotion import Promotion
from bot.domain.pull import PullRequest
from bot.domain.rendered import Rendered
from bot.domain.rollout import ClusterSnapshot
from bot.domain.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One file of a commit. `mode` is git's ("100644", "120000" is a symbolic link, "160000" a submodule); `size` in bytes."""

    path: str
    blob: str
    mode: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitInfo:
    """One commit; `at` is the author date (UTC), `author` a name, `email` an address."""

    sha: str
    parents: tuple[str, ...]
    author: str
    email: str
    at: datetime
    subject: str
    body: str = ""


class Repositories(Protocol):
    """A bare clone per environment repository, kept by git's own protocol: reading costs no API call."""

    def refresh(self, repository: str) -> Mapping[str, str]:
        """Fetch; the branches of the remote, each with its commit."""
        ...

    def heads(self, repository: str) -> Mapping[str, str]:
        """The branches as of the last fetch, without asking the remote."""
        ...

    def tree(self, repository: str, commit: str, folder: str = "") -> Sequence[TreeEntry]:
        """All files of a commit under a folder; paths count from the repository's root."""
        ...

    def entries(self, repository: str, commit: str, paths: Iterable[str]) -> Sequence[TreeEntry]:
        """What stands at these paths of a commit; a path at which nothing stands is left out."""
        ...

    def blobs(self, repository: str, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Contents by blob id, in one git process."""
        ...

    def read(self, repository: str, commit: str, path: str) -> bytes | None:
        """One file at a commit; None when it is not there."""
        ...

    def log(self, repository: str, *, after: str | None, until: str, paths: Sequence[str] = (), limit: int = 200) -> Sequence[CommitInfo]:
        """Commits reachable from `until` and not from `after`, newest first."""
        ...

    def changed(self, repository: str, before: str, after: str) -> Sequence[str]:
        """Paths that differ between two commits."""
        ...

    def is_ancestor(self, repository: str, older: str, newer: str) -> bool:
        """True when `older` is `newer` or one of its ancestors."""
        ...

    def commit(self, repository: str, *, parent: str, files: Mapping[str, bytes], message: str, at: datetime) -> str:
        """Write a commit object locally, with our identity and this date: the same input gives the same id."""
        ...

    def push(self, repository: str, updates: Mapping[str, tuple[str | None, str | None]]) -> None:
        """All branches at once and atomically, each from its expected old commit (None: must not exist) to the new (None: delete).

        `Stale` when one of them stood elsewhere; `Refused` when a rule of the forge forbids it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPull:
    number: int
    node_id: str
    url: str


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


class Renderer(Protocol):
    """Kustomize or Helm, where they are installed."""

    def render(self, repository: str, commit: str, files: Mapping[str, bytes]) -> Sequence[Rendered]:
        """What `files` (paths from the repository's root) change in the objects that the commit's folders render to.

        Raises nothing but what reading the repository raises; why a folder could not be rendered stands in the answer.
        """
        ...


class Clusters(Protocol):
    """What runs, from watches that are kept in the background: asking costs nothing."""

    def snapshot(self, stage: str) -> ClusterSnapshot: ...

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with a stage's name when something in its cluster changed."""
        ...

    def sync(self, stage: str) -> None:
        """Ask the stage's GitOps agent to look at git now, where it has a way to be asked."""
        ...


class Chat(Protocol):
    """A place where people are told. `post` returns a reference by which the message can be changed and found again."""

    def post(self, *, key: str, thread: str, severity: str, stage: str, service: str, text: str, fields: Mapping[str, str]) -> str:
        """Exactly once per `key`: a message with this key that stands there already is not posted again."""
        ...


class Cards(Protocol):
    """A place where each promotion has one message that is changed in place as it goes on."""

    def show(self, card: Card, references: Mapping[str, str]) -> Mapping[str, str]:
        """Bring a promotion's message to this state, in place where `references` (what the last call returned) says that it stands."""
        ...


class Teller(Protocol):
    """A receiver of messages beside the chat. A message may reach it twice, under the same id."""

    def wants(self, notice: Notify) -> bool:
        """Is this message for this receiver?"""
        ...

    def tell(self, notice: Notify, *, now: datetime) -> None:
        """One try."""
        ...


class DeploymentPage(Protocol):
    """The forge's own record of what was deployed where."""

    def record(self, repository: str, promotion: Promotion, *, commit: str, state: str, known: str) -> str:
        """Say that `commit` is in_progress, success or failure in the promotion's stage; the record's id, to be given back as `known`.

        `known` is "?" where a try before this one may have made it.
        """
        ...


class History(Protocol):
    """The database: history, people's orders, and what must survive a restart."""

    def promotions(self, stage: str) -> Sequence[Promotion]:
        """Those in flight, and per name the newest ended ones (at least the last three)."""
        ...

    def save_promotion(self, promotion: Promotion, *, why: str, actor: str, now: datetime) -> Promotion:
        """Insert or update by id, only if the stored row has `promotion.version` (else `Stale`); an audit row in the same transaction.

        The answer carries the new version. Version 0 inserts; where an ended promotion has this id already, that row goes on.
        """
        ...

    def save_promotions(self, changed: Sequence[Promotion], *, why: str, actor: str, now: datetime) -> Sequence[Promotion]:
        """The same for several: all or none."""
        ...

    def save_rows(self, rows: Sequence[Row], *, now: datetime) -> frozenset[str]:
        """All of them or none; the keys of those messages that were not kept before."""
        ...

    def health(self, stage: str) -> Mapping[str, Health]:
        """The last recorded health per service."""
        ...

    def save_health(self, stage: str, health: Health, *, now: datetime) -> None: ...

    def verdicts(self, promotion: str) -> Sequence[Verdict]:
        """The last recorded verdicts of a promotion."""
        ...

    def save_verdicts(self, promotion: Promotion, verdicts: Sequence[Verdict], *, now: datetime) -> None: ...

    def directives(self, stage: str) -> Sequence[Directive]:
        """All that touch this stage or every stage, withdrawn ones included for as long as their promotion is in flight."""
        ...

    def add_directive(self, directive: Directive) -> bool:
        """False when one with this key is there already."""
        ...

    def withdraw_directives(self, keys: Iterable[str], *, now: datetime, actor: str, why: str) -> None: ...

    def quarantines(self) -> Sequence[Quarantine]: ...

    def save_quarantine(self, quarantine: Quarantine, *, now: datetime) -> None: ...

    def stage_holds(self, stage: str) -> Sequence[StageHold]: ...

    def save_stage_hold(self, hold: StageHold, *, now: datetime) -> None: ...

    def pull(self, repository: str, number: int) -> PullRequest | None: ...

    def save_pull(self, pull: PullRequest) -> None:
        """The newest reading wins."""
        ...

    def binding(self, promotion: str) -> tuple[datetime, Mapping[str, str]] | None:
        """What stands on a promotion's pull request from us (what `Forge.show` returned), and when it was written last."""
        ...

    def save_binding(self, promotion: str, bound: Mapping[str, str], *, now: datetime) -> None: ...

    def save_deployment(self, deployment: SaveDeployment) -> None:
        """Once per promotion, service, kind and status."""
        ...

    def want_pulls(self, repository: str, numbers: Iterable[int]) -> None:
        """These pull requests must be read again before the next decision about them."""
        ...

    def stale_pulls(self, repository: str) -> Mapping[int, int]:
        """Which pull requests must be read again, each with a mark to give back to `pulls_read` afterwards."""
        ...

    def pulls_read(self, repository: str, read: Mapping[int, int]) -> None:
        """They were read after these marks were taken; one whose mark has changed since stays."""
        ...

    def fetch_wanted(self, repository: str) -> int:
        """A mark when something was pushed since the last fetch, else 0."""
        ...

    def fetched(self, repository: str, mark: int) -> None:
        """It was fetched after this mark was taken."""
        ...

    def audit(self, *, actor: str, action: str, subject: str, why: str, now: datetime, details: Mapping[str, str]) -> None: ...


class EffectJournal(Protocol):
    """What the bot began to do on the outside, and what came of it."""

    def begin(self, key: str, name: str, *, now: datetime) -> tuple[str, object]:
        """("new", None): nobody tried; ("started", None): somebody did, the end is not known; ("done", result). `Fenced` when replaced."""
        ...

    def done(self, key: str, result: object, *, now: datetime) -> None:
        """It happened, with this JSON result."""
        ...

    def forget(self, key: str) -> None:
        """It certainly did not happen."""
        ...

    def known(self, key: str) -> bool:
        """True when it was begun before, whatever came of it."""
        ...


class Outbox(Protocol):
    """Messages to people, kept until the chat took them: a chat that is down holds nothing up."""

    def put(self, message: Notify, *, now: datetime) -> bool:
        """Keep it; False when one with its key was kept before."""
        ...

    def due(self, *, now: datetime, limit: int = 20) -> Sequence[Notify]:
        """Those not sent yet whose next try is due, oldest first."""
        ...

    def sent(self, key: str, reference: str, *, now: datetime) -> None: ...

    def later(self, key: str, until: datetime) -> None:
        """Not to be sent before this; it counts as new then."""
        ...

    def failed(self, key: str, error: str, *, now: datetime) -> None:
        """Not taken: tried again later, with growing pauses, for a day."""
        ...


class Answers(Protocol):
    """A collector that answers questions of one source (a metric, an HTTP endpoint, a registry ...)."""

    source: str

    def answer(self, questions: Sequence[Question], *, now: datetime) -> Mapping[Question, Answer]: ...
