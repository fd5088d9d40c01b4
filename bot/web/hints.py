"""What a GitHub event says should be looked at again: which repository and branch, which pull requests. Never what to do.

Decides from names and numbers in the payload alone, and trusts none of them: a field that is missing or of another type is
as if it were not there. The decision reads everything again from git, forge and cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.press import RERUN
from bot.web.strict_json import UNSTORABLE

LARGEST_NUMBER = 2**31 - 1
HEADS = "refs/heads/"
LISTENED_TO = frozenset(
    {
        "push",
        "create",
        "delete",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "issue_comment",
        "check_run",
        "check_suite",
        "status",
        "workflow_run",
        "merge_group",
        "repository",
        "member",
        "branch_protection_rule",
    }
)
OWN_ECHOES = frozenset({"issue_comment", "check_run", "check_suite", "status", "pull_request_review_comment"})
OWN_ACTIONS = frozenset({"opened", "edited", "labeled", "unlabeled", "synchronize"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """`numbers` are pull requests to read again, `commit` one whose checks changed; `branch` is what was pushed to, or merged into.

    `button` is what somebody pressed on a check: its identifier, or `RERUN`; `check` and `app` are that check's name and App.
    """

    event: str
    action: str = ""
    repository: str = ""
    repository_id: int | None = None
    branch: str | None = None
    pushed: bool = False
    numbers: tuple[int, ...] = ()
    commit: str = ""
    sender: str = ""
    sender_id: int | None = None
    sender_is_bot: bool = False
    app: str = ""
    check: str = ""
    button: str = ""


def hints_of(event: str, payload: Mapping[str, Any]) -> Hints:
    """What this payload points at."""
    repository = _map(payload.get("repository"))
    sender = _map(payload.get("sender"))
    pull = _map(payload.get("pull_request"))
    numbers = {_number(pull.get("number"))}
    if event in ("issue_comment",):
        issue = _map(payload.get("issue"))
        if issue.get("pull_request") is not None:
            numbers.add(_number(issue.get("number")))
    commit = ""
    for name in ("check_run", "check_suite", "workflow_run"):
        part = _map(payload.get(name))
        listed = part.get("pull_requests")
        numbers |= {_number(_map(item).get("number")) for item in (listed if isinstance(listed, list) else [])}
        commit = commit or _text(part.get("head_sha"))
    pushed = event in ("push", "create", "delete")
    checked = _map(payload.get(event)) if event in ("check_run", "check_suite") else {}
    return Hints(
        event=event,
        action=_text(payload.get("action")),
        repository=_text(repository.get("full_name")),
        repository_id=_id(repository.get("id")),
        branch=_branch(payload, event) if pushed else (_text(_map(pull.get("base")).get("ref")) or None),
        pushed=pushed or (event == "pull_request" and payload.get("action") == "closed"),
        numbers=tuple(sorted(number for number in numbers if number is not None)),
        commit=commit or (_text(payload.get("sha")) if event == "status" else ""),
        sender=_text(sender.get("login")),
        sender_id=_id(sender.get("id")),
        sender_is_bot=sender.get("type") != "User",
        app=_text(_map(checked.get("app")).get("slug")),
        check=_text(checked.get("name")),
        button=_button(event, payload) if checked else "",
    )


def is_echo(hints: Hints, ours: str) -> bool:
    """True for what our own writing caused and what we know already. Our merges and pushes are not: others must look at them."""
    if not ours or hints.sender.lower() != ours.lower():
        return False
    return hints.event in OWN_ECHOES or (hints.event == "pull_request" and hints.action in OWN_ACTIONS)


def _button(event: str, payload: Mapping[str, Any]) -> str:
    action = payload.get("action")
    if action == RERUN:
        return RERUN
    return _text(_map(payload.get("requested_action")).get("identifier")) if (event, action) == ("check_run", "requested_action") else ""


def _branch(payload: Mapping[str, Any], event: str) -> str | None:
    ref = _text(payload.get("ref"))
    if event == "push":
        return ref.removeprefix(HEADS) if ref.startswith(HEADS) else None
    return ref if payload.get("ref_type") == "branch" and ref else None


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value[:300] if isinstance(value, str) and not UNSTORABLE.search(value) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_NUMBER else None


def _id(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else None
