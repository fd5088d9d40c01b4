"""The face of a pull request: which of comment, check and labels must be written so that they show what they should. Pure.

Decides from what we wrote last (`bound`), from the pull request as last read and from what is wanted. It leaves the sending to `forge.py`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.pull import Comment, PullRequest
from bot.messages.check_buttons import BUTTONS

LONGEST_COMMENT = 65_000
LONGEST_SUMMARY = 65_000
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 140
MARKER = "<!-- promotion-bot:status -->"

_CONCLUSIONS = frozenset({"success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"})
_STATES = {"success": "success", "neutral": "success", "skipped": "success", "action_required": "pending"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What shall be seen. `conclusion` is one of GitHub's, or "" (or "pending") while the gates are open."""

    comment: str
    check: str
    conclusion: str
    title: str
    summary: str
    labels: tuple[str, ...]
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to write. `add` and `remove` are label names; a flag is false where nothing differs."""

    comment: bool
    check: bool
    add: tuple[str, ...]
    remove: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        return not (self.comment or self.check or self.add or self.remove)


def with_marker(text: str) -> str:
    """The comment's text, cut to what GitHub takes, with a hidden marker by which it is found again."""
    text = text if len(text) <= LONGEST_COMMENT else text[: LONGEST_COMMENT - 1] + "…"
    return f"{text}\n{MARKER}"


def ours_with(marker: str, comments: Iterable[Comment]) -> Comment | None:
    """The oldest comment that we wrote and that bears the marker; another's copy of the marker is nothing to us."""
    return next((one for one in comments if one.ours and marker in one.body), None)


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def same_text(body: str) -> str:
    """GitHub may change line ends and outer white space."""
    return body.replace("\r\n", "\n").strip()


def comment_digest(wanted: Wanted) -> str:
    return digest(same_text(wanted.comment))


def check_digest(wanted: Wanted) -> str:
    return digest(wanted.check, wanted.head, wanted.conclusion, wanted.title, wanted.summary)


def compare(wanted: Wanted, bound: Mapping[str, str], pull: PullRequest, *, us: str) -> Change:
    """What differs from what we wrote last, or was changed by somebody since.

    A label is taken off when we put it on (by `bound` or the timeline) and it is not wanted any more.
    """
    written = set(filter(None, bound.get("labels", "").split("\n")))
    ours = {name for name, event in pull.labels.items() if event is not None and event.actor.login == us}
    return Change(
        comment=bound.get("comment_hash") != comment_digest(wanted) or bool(tampered(wanted, bound, pull.comments)),
        check=bound.get("check_hash") != check_digest(wanted),
        add=tuple(name for name in wanted.labels if name not in pull.labels),
        remove=tuple(sorted(name for name in (written | ours) - set(wanted.labels) if name in pull.labels)),
    )


def tampered(wanted: Wanted, bound: Mapping[str, str], comments: Iterable[Comment]) -> str:
    """The digest of a foreign text in our comment, or "". One that was answered already (`bound`) counts once only:
    a text that GitHub itself stores differently must not be written for ever."""
    for one in comments:
        if one.node_id == bound.get("comment"):
            seen = digest(same_text(one.body))
            return "" if seen in (comment_digest(wanted), bound.get("comment_hash"), bound.get("comment_seen")) else seen
    return ""


def check_input(wanted: Wanted, *, repository_id: str, run: str = "") -> dict[str, Any]:
    """Input of createCheckRun, or of updateCheckRun where `run` is its id."""
    title = wanted.title[:LONGEST_TITLE] or wanted.check
    fields: dict[str, Any] = {
        "repositoryId": repository_id,
        "name": wanted.check,
        "output": {"title": title, "summary": wanted.summary[:LONGEST_SUMMARY] or title},
        "actions": [{"label": one.label, "description": one.description, "identifier": one.identifier} for one in BUTTONS],
    }
    if wanted.conclusion in _CONCLUSIONS:
        fields |= {"status": "COMPLETED", "conclusion": wanted.conclusion.upper()}
    else:
        fields |= {"status": "IN_PROGRESS"}
    return fields | ({"checkRunId": run} if run else {"headSha": wanted.head})


def status_input(wanted: Wanted) -> dict[str, str]:
    """Body of POST statuses: what a token may write in place of a check run."""
    done = wanted.conclusion in _CONCLUSIONS
    state = _STATES.get(wanted.conclusion, "failure") if done else "pending"
    title = wanted.title
    return {
        "state": state,
        "context": wanted.check,
        "description": title if len(title) <= LONGEST_DESCRIPTION else title[: LONGEST_DESCRIPTION - 1] + "…",
    }
