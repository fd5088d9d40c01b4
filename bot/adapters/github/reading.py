"""GraphQL's picture of a pull request, brought to ours: pure. An answer that lacks what GitHub promises raises `TransientError`.

Decides what counts as pending, failed and newest among checks, and who is a bot. Paging is left to `pages.py`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.errors import OutcomeUnknown, TransientError
from bot.domain.instants import parse_instant
from bot.domain.people import Person
from bot.domain.pull import Check, CheckState, Comment, LabelEvent, PullRequest, PullState, Review, ReviewState

GHOST = Person(id=0, login="ghost")
EXPECTED = "expected"

_PASSING = {"SUCCESS": CheckState.SUCCESS, "NEUTRAL": CheckState.NEUTRAL, "SKIPPED": CheckState.SKIPPED}
_STATUS = {"SUCCESS": CheckState.SUCCESS, "PENDING": CheckState.PENDING, "EXPECTED": CheckState.PENDING}
_WORST = [CheckState.FAILURE, CheckState.PENDING, CheckState.SUCCESS, CheckState.NEUTRAL, CheckState.SKIPPED]

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """Checks that the branch's rules require: each by name, with the id of the App that must report it (None: any)."""

    contexts: Mapping[str, int | None] = field(default_factory=dict)


@contextmanager
def understood(what: str, *, write: bool = False) -> Iterator[None]:
    """Turn a missing or odd field into `TransientError`: a truncated or foreign answer is never half believed.

    After a `write` it is an `OutcomeUnknown`: it may well have happened.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        family = OutcomeUnknown if write else TransientError
        raise family(f"GitHub's answer about {what} could not be understood ({type(error).__name__}: {error}).") from error


def person(node: Node | None) -> Person:
    """An account; one that was deleted is "ghost" with id 0, which nobody is."""
    if node is None:
        return GHOST
    bot = node["__typename"] == "Bot"
    login = str(node["login"])
    if bot and not login.endswith("[bot]"):
        login = f"{login}[bot]"
    return Person(id=int(node.get("databaseId") or 0), login=login, bot=bot)


def instant(text: object) -> datetime | None:
    return None if text is None else parse_instant(text)


def comment(node: Node) -> Comment:
    return Comment(
        id=int(node["fullDatabaseId"]),
        node_id=str(node["id"]),
        author=person(node["author"]),
        body=str(node["body"]),
        created_at=parse_instant(node["createdAt"]),
        edited=node["lastEditedAt"] is not None,
        ours=bool(node["viewerDidAuthor"]),
        folded=bool(node["isMinimized"]),
    )


def review(node: Node) -> Review | None:
    """None for a review that its author has not yet submitted."""
    if node["state"] == "PENDING" or node["submittedAt"] is None:
        return None
    commit = node["commit"]
    return Review(
        id=int(node["fullDatabaseId"]),
        author=person(node["author"]),
        state=ReviewState(str(node["state"]).lower()),
        commit=str(commit["oid"]) if commit is not None else "",
        submitted_at=parse_instant(node["submittedAt"]),
        body=str(node["body"]),
    )


def check(node: Node, head: str) -> tuple[Check, int | None]:
    """One context of the rollup, and the id of the App that reported it where there is one."""
    if node["__typename"] == "StatusContext":
        creator = node["creator"]
        status = Check(
            name=str(node["context"]),
            state=_STATUS.get(node["state"], CheckState.FAILURE),
            commit=head,
            at=instant(node["createdAt"]),
            source=str(creator["login"]) if creator is not None else "",
            url=str(node["targetUrl"] or ""),
        )
        return status, None
    done = node["status"] == "COMPLETED"
    app = (node["checkSuite"] or {}).get("app")
    run = Check(
        name=str(node["name"]),
        state=_PASSING.get(str(node["conclusion"]), CheckState.FAILURE) if done else CheckState.PENDING,
        commit=head,
        at=instant(node["completedAt"] or node["startedAt"]),
        source=str(app["slug"]) if app is not None else "",
        url=str(node["detailsUrl"] or ""),
    )
    return run, int(app["databaseId"]) if app is not None and app["databaseId"] is not None else None


def checks(nodes: Iterable[Node], head: str, required: Required) -> tuple[Check, ...]:
    """One per name: of one source the newest, of several sources the worst. A required check of which nothing is heard is pending.

    A required check run that must come from a certain App counts only from it (of a status GitHub does not tell the App).
    """
    newest: dict[tuple[str, str], Check] = {}
    for node in nodes:
        found, app = check(node, head)
        wanted = required.contexts.get(found.name)
        if wanted is not None and app != wanted and node["__typename"] == "CheckRun":
            continue
        key = (found.name, found.source)
        known = newest.get(key)
        if known is None or _later(found, known):
            newest[key] = found
    worst: dict[str, Check] = {}
    for found in newest.values():
        known = worst.get(found.name)
        if known is None or _WORST.index(found.state) < _WORST.index(known.state):
            worst[found.name] = found
    for name in required.contexts:
        worst.setdefault(name, Check(name=name, state=CheckState.PENDING, commit=head, source=EXPECTED))
    return tuple(_mark(worst[name], required) for name in sorted(worst))


def _later(found: Check, known: Check) -> bool:
    return known.at is None or (found.at is not None and found.at >= known.at)


def _mark(found: Check, required: Required) -> Check:
    if found.name not in required.contexts:
        return found
    return Check(
        name=found.name,
        state=found.state,
        commit=found.commit,
        at=found.at,
        source=found.source,
        url=found.url,
        required=True,
    )


def required_checks(ref: Node | None) -> Required:
    """From the branch's protection and rulesets, as far as GitHub shows them to those who do not administer the repository."""
    contexts: dict[str, int | None] = {}
    if ref is None:
        return Required()
    for name in (ref.get("refUpdateRule") or {}).get("requiredStatusCheckContexts") or ():
        contexts[str(name)] = None
    for rule in (ref.get("rules") or {}).get("nodes") or ():
        for item in ((rule or {}).get("parameters") or {}).get("requiredStatusChecks") or ():
            app = item.get("integrationId")
            contexts[str(item["context"])] = int(app) if app is not None else contexts.get(str(item["context"]))
    return Required(contexts=contexts)


def rollup(node: Node) -> Node | None:
    """The rollup's contexts, if they speak of the pull request's head (the last commit of a long list may be another one)."""
    nodes = node["commits"]["nodes"]
    if not nodes or nodes[0]["commit"]["oid"] != node["headRefOid"]:
        return None
    found = nodes[0]["commit"]["statusCheckRollup"]
    return None if found is None else found["contexts"]


def labels(node: Node) -> dict[str, LabelEvent | None]:
    """The labels that are on, each with who put it on last, where the timeline still tells."""
    events = _label_events(node, "LabeledEvent")
    return {str(label["name"]): events.get(str(label["name"])) for label in node["labels"]["nodes"]}


def unlabelled(node: Node) -> dict[str, LabelEvent]:
    """The labels that are off, each with who took it off last, as far as the timeline tells."""
    on = {str(label["name"]) for label in node["labels"]["nodes"]}
    return {name: event for name, event in _label_events(node, "UnlabeledEvent").items() if name not in on}


def _label_events(node: Node, kind: str) -> dict[str, LabelEvent]:
    events: dict[str, LabelEvent] = {}
    for event in node["timelineItems"]["nodes"]:
        if event and event.get("label") and event.get("__typename", "LabeledEvent") == kind:
            events[str(event["label"]["name"])] = LabelEvent(actor=person(event["actor"]), at=parse_instant(event["createdAt"]))
    return events


def label_ids(connection: Node | None) -> dict[str, str]:
    nodes = (connection or {}).get("nodes") or ()
    return {str(label["name"]): str(label["id"]) for label in nodes if label}


def pull_request(
    node: Node,
    *,
    repository: str,
    now: datetime,
    required: Required,
    contexts: Iterable[Node],
    comments: Iterable[Comment],
    reviews: Iterable[Review],
) -> PullRequest:
    """The whole pull request; comments, reviews and contexts are handed in complete. `now` is when it was read (UTC)."""
    head = str(node["headRefOid"])
    merge_commit = node["mergeCommit"]
    merged = node["state"] == "MERGED"
    return PullRequest(
        repository=repository,
        number=int(node["number"]),
        node_id=str(node["id"]),
        url=str(node["url"]),
        title=str(node["title"]),
        body=str(node["body"]),
        branch=str(node["headRefName"]),
        head=head,
        base_branch=str(node["baseRefName"]),
        base=str(node["baseRefOid"]),
        state=PullState(str(node["state"]).lower()),
        author=person(node["author"]),
        created_at=parse_instant(node["createdAt"]),
        updated_at=parse_instant(node["updatedAt"]),
        read_at=now,
        ours=bool(node["viewerDidAuthor"]),
        merged_at=instant(node["mergedAt"]),
        merge_commit=str(merge_commit["oid"]) if merged and merge_commit is not None else None,
        merged_by=person(node["mergedBy"]) if merged else None,
        closed_at=instant(node["closedAt"]),
        mergeable={"MERGEABLE": True, "CONFLICTING": False}.get(str(node["mergeable"])),
        labels=labels(node),
        unlabelled=unlabelled(node),
        comments=tuple(comments),
        reviews=tuple(reviews),
        checks=checks(contexts, head, required),
    )
