"""What the plan wants done: a closed union of frozen data. `apply` is one match over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.facts import Health, Quarantine, StageHold
from bot.domain.promotion import Promotion, SlotEdit
from bot.domain.verdict import Verdict


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPromotion:
    """Push the branch, open the pull request, label it. `promotion.head` and `.number` are not known yet."""

    promotion: Promotion
    title: str
    body: str
    labels: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePromotion:
    """Replace the content of the open pull request in place: same branch, same number, one new commit on a fresh base.

    `promotion` is the new content (its `number` and `branch` are the old one's); `expected_head` is the head that may be replaced.
    """

    promotion: Promotion
    replaces: str
    expected_head: str
    title: str
    body: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePromotion:
    """Close the pull request with one sentence and delete the branch."""

    promotion: Promotion
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePromotion:
    """Merge, if head and base are still what the gates were evaluated for. `queue`: hand it to GitHub's auto-merge or merge queue."""

    promotion: Promotion
    head: str
    base: str
    method: str
    title: str
    queue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revert:
    """Restore exactly `edits[].old` where `edits[].new` stands, as a commit on the stage's branch or as a fast-lane pull request."""

    promotion: Promotion
    edits: tuple[SlotEdit, ...]
    as_pull_request: bool
    message: str
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """The pull request's face: the one status comment, the one check, the labels. Written only where it differs from what stands there.

    `steps` is what a reader waits for, such as each gate with its answer: while it stays the same only the words move on.
    """

    promotion: Promotion
    comment: str
    check_title: str
    check_summary: str
    conclusion: str
    labels: tuple[str, ...]
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image that goes with a message. `content` is a PNG in base64; `alt` says it in words; `name` is the same at every try."""

    name: str
    alt: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Tell people outside of GitHub. `key` makes it happen once; `thread` groups what belongs to one promotion.

    A picture goes to the chat alone, after the text that begins its thread.
    """

    key: str
    thread: str
    severity: Severity
    stage: str
    text: str
    fields: Mapping[str, str]
    service: str = ""
    picture: Picture | None = None


EYES = "eyes"
"""The reaction that says: read, and being carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Answer a command: a reaction, and for a refusal one comment. `text` is empty where a reaction says enough.

    `about` tells apart what is answered; without it, that is the comment. A review and a label take no reaction (`comment_id` 0).
    Where `node` (the comment's node id) is given, the reaction takes the place of `EYES`. `hide` are node ids of our own older answers
    that are folded, since they are settled.
    """

    number: int
    comment_id: int
    reaction: str
    text: str = ""
    about: str = ""
    node: str = ""
    hide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SavePromotion:
    """Write the promotion's new state, with the audit row that says why."""

    promotion: Promotion
    why: str
    actor: str = "promotion-bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveHealth:
    """A service's rollout in this stage changed (state, version or who runs it)."""

    stage: str
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveVerdicts:
    """The gates' answers for a promotion changed."""

    promotion: Promotion
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveQuarantine:
    quarantine: Quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveStageHold:
    hold: StageHold


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDeployment:
    """A row of the delivery history: a rollout of `promotion` ended at `at`. `kind` is promotion, hotfix, revert or rollback."""

    promotion: Promotion
    service: str
    at: datetime
    status: str
    kind: str
    version: str


Row = SavePromotion | SaveHealth | SaveQuarantine | SaveStageHold | SaveDeployment | Notify
"""What is written into the bot's own database and nowhere else; a message is posted from there."""

Action = (
    OpenPromotion
    | UpdatePromotion
    | ClosePromotion
    | MergePromotion
    | Revert
    | Show
    | Notify
    | Reply
    | SavePromotion
    | SaveHealth
    | SaveVerdicts
    | SaveQuarantine
    | SaveStageHold
    | SaveDeployment
)
