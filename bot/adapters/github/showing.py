"""Bring the face of a pull request to GitHub: comment, check and labels in one GraphQL document (a token's status by one REST call).

Decides when it must be looked what stands there, so that nothing is doubled: always before something is created, unless this very
process has just opened the pull request. What differs is decided by `face.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.adapters.github import documents
from bot.adapters.github.budget import Priority
from bot.adapters.github.errors import NOT_FOUND
from bot.adapters.github.face import (
    MARKER,
    Change,
    Wanted,
    check_digest,
    check_input,
    comment_digest,
    compare,
    ours_with,
    status_input,
    tampered,
)
from bot.adapters.github.ledger import pull_subject
from bot.adapters.github.pages import Known, Reader
from bot.adapters.github.reading import comment, label_ids, rollup, understood
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import MOST_PAGES, Graph, Wire
from bot.domain.errors import TransientError, UserError
from bot.domain.pull import PullRequest

ADD_COMMENT, UPDATE_COMMENT = "addComment", "updateIssueComment"
CREATE_CHECK, UPDATE_CHECK = "createCheckRun", "updateCheckRun"
ADD_LABELS, REMOVE_LABELS = "addLabelsToLabelable", "removeLabelsFromLabelable"
NEEDS = {
    ADD_COMMENT: "pull_requests: write",
    UPDATE_COMMENT: "pull_requests: write",
    CREATE_CHECK: "checks: write",
    UPDATE_CHECK: "checks: write",
    ADD_LABELS: "issues: write",
    REMOVE_LABELS: "issues: write",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One call of `show`: where, what is wanted, and who we are."""

    repository: str
    pull: PullRequest
    wanted: Wanted
    us: str
    is_app: bool

    @property
    def where(self) -> str:
        return pull_subject(self.repository, self.pull.number)


class Painter:
    """Writes faces."""

    def __init__(self, wire: Wire, reader: Reader, known: Known) -> None:
        self._wire = wire
        self._reader = reader
        self._known = known

    def show(self, stage: Stage, bound: Mapping[str, str], *, fresh: bool) -> Mapping[str, str]:
        """What stands there afterwards, for the next call. `fresh`: nothing of ours can be there yet."""
        stands = {key: value for key, value in bound.items() if key != "problem"}
        change = compare(stage.wanted, stands, stage.pull, us=stage.us)
        if change.nothing:
            return stands
        for _ in range(2):
            if not fresh:
                self._look(stage, stands, change)
            gone = self._write(stage, stands, change)
            if not gone:
                return stands
            for key in gone:
                stands.pop(key, None)
            fresh = False
        return stands

    def _look(self, stage: Stage, stands: dict[str, str], change: Change) -> None:
        """Before anything is created: find our comment, and our check on this head."""
        if "comment" not in stands:
            found = ours_with(MARKER, stage.pull.comments)
            if found is not None:
                stands["comment"] = found.node_id
        creates_comment = change.comment and "comment" not in stands
        creates_check = change.check and stage.is_app and not self._has_check(stage, stands)
        if not (creates_comment or creates_check):
            return
        ask = Ask(doing="read what stands on the pull request", where=stage.where, needs="pull_requests: read", known=True)
        answer = self._wire.graphql(documents.FACE, {"id": stage.pull.node_id}, ask).whole()
        with understood(stage.where):
            node = answer["node"]
            self._known.repositories[stage.repository] = str(node["repository"]["id"])
            self._known.learn_labels(stage.repository, label_ids(node["repository"]["labels"]) | label_ids(node["labels"]))
            for entry in (rollup(node) or {}).get("nodes") or ():
                ours = entry["__typename"] == "CheckRun" and (entry["checkSuite"]["app"] or {}).get("slug") == _slug(stage.us)
                if ours and entry["name"] == stage.wanted.check and node["headRefOid"] == stage.wanted.head:
                    stands |= {"check": str(entry["id"]), "check_head": stage.wanted.head}
            if creates_comment:
                self._find_comment(stage, stands, node["comments"], ask)

    def _find_comment(self, stage: Stage, stands: dict[str, str], connection: Mapping[str, Any], ask: Ask) -> None:
        for _ in range(MOST_PAGES):
            found = ours_with(MARKER, [comment(entry) for entry in connection["nodes"]])
            if found is not None:
                stands["comment"] = found.node_id
            if found is not None or not connection["pageInfo"]["hasNextPage"]:
                return
            variables = {"id": stage.pull.node_id, "after": connection["pageInfo"]["endCursor"]}
            connection = self._wire.graphql(documents.COMMENTS, variables, ask).whole()["node"]["comments"]
        raise TransientError(f"The conversation of {stage.where} is longer than can be read.")

    @staticmethod
    def _has_check(stage: Stage, stands: Mapping[str, str]) -> bool:
        return "check" in stands and stands.get("check_head") == stage.wanted.head

    def _write(self, stage: Stage, stands: dict[str, str], change: Change) -> list[str]:
        """Write what differs; the keys of what turned out to be gone from GitHub and is to be made anew."""
        problems: list[str] = []
        fields = self._fields(stage, stands, change)
        gone: list[str] = []
        if fields:
            ask = Ask(
                doing="show the promotion's state",
                where=stage.where,
                needs=", ".join(dict.fromkeys(NEEDS[field] for field in fields)),
                write=True,
                known=True,
                priority=Priority.NORMAL if stage.wanted.conclusion == "success" else Priority.COSMETIC,
                weight=len(fields),
            )
            graph = self._wire.graphql(documents.mutation("Show", list(fields)), fields, ask)
            gone = self._take(stage, stands, change, graph, problems)
        for step in (self._status, self._labels_by_name):
            try:
                step(stage, stands, change)
            except UserError as error:
                problems.append(f"{error.what} {error.fix}".strip())
        stands["labels"] = "\n".join(stage.wanted.labels)
        if problems:
            stands["problem"] = "; ".join(problems)
        return gone

    def _fields(self, stage: Stage, stands: Mapping[str, str], change: Change) -> dict[str, dict[str, Any]]:
        """The inputs of the mutations that are needed, by name."""
        wanted, subject = stage.wanted, stage.pull.node_id
        fields: dict[str, dict[str, Any]] = {}
        if change.comment and "comment" in stands:
            fields[UPDATE_COMMENT] = {"id": stands["comment"], "body": wanted.comment}
        elif change.comment:
            fields[ADD_COMMENT] = {"subjectId": subject, "body": wanted.comment}
        if change.check and stage.is_app:
            run = stands["check"] if self._has_check(stage, stands) else ""
            home = self._reader.repository_id(stage.repository)
            fields[UPDATE_CHECK if run else CREATE_CHECK] = check_input(wanted, repository_id=home, run=run)
        for field, names in ((ADD_LABELS, change.add), (REMOVE_LABELS, change.remove)):
            ids = [self._known.labels.get((stage.repository, name), "") for name in names]
            if ids and all(ids):
                fields[field] = {"labelableId": subject, "labelIds": ids}
        return fields

    def _take(self, stage: Stage, stands: dict[str, str], change: Change, graph: Graph, problems: list[str]) -> list[str]:
        """Keep what was written, name what GitHub forbade, raise what passes by itself."""
        gone: list[str] = []
        for problem in graph.problems:
            field = problem.path[0] if problem.path else ""
            if problem.gone and field in (UPDATE_COMMENT, UPDATE_CHECK):
                gone.append("comment" if field == UPDATE_COMMENT else "check")
            elif problem.gone and field in (ADD_LABELS, REMOVE_LABELS):
                self._known.forget_labels(stage.repository, [*change.add, *change.remove])
                problems.append("A label was made anew meanwhile.")
            elif isinstance(problem.error, UserError):
                problems.append(f"{problem.error.what} {problem.error.fix}".strip())
            else:
                raise problem.error
        with understood(f"what was shown on {stage.where}", write=True):
            data: dict[str, Any] = {field: graph.data.get(field) for field in NEEDS}
            written = data[ADD_COMMENT] or data[UPDATE_COMMENT]
            if written:
                seen = tampered(stage.wanted, stands, stage.pull.comments)
                stands |= {"comment_hash": comment_digest(stage.wanted), **({"comment_seen": seen} if seen else {})}
            if data[ADD_COMMENT]:
                stands["comment"] = str(data[ADD_COMMENT]["commentEdge"]["node"]["id"])
            run = data[CREATE_CHECK] or data[UPDATE_CHECK]
            if run:
                stands |= {
                    "check": str(run["checkRun"]["id"]),
                    "check_head": stage.wanted.head,
                    "check_hash": check_digest(stage.wanted),
                }
        return gone

    def _status(self, stage: Stage, stands: dict[str, str], change: Change) -> None:
        """A token cannot write check runs; a status of one context replaces the one before it."""
        if stage.is_app or stands.get("check_hash") == check_digest(stage.wanted):
            return
        ask = Ask(doing="set the commit status", where=stage.where, needs="statuses: write", write=True, known=True)
        self._wire.rest("POST", f"/repos/{stage.repository}/statuses/{stage.wanted.head}", ask, body=status_input(stage.wanted))
        stands |= {"check_head": stage.wanted.head, "check_hash": check_digest(stage.wanted)}

    def _labels_by_name(self, stage: Stage, stands: dict[str, str], change: Change) -> None:
        """Labels whose ids are not known yet: REST takes names, and makes those that the repository lacks."""
        unknown = [name for name in change.add if (stage.repository, name) not in self._known.labels]
        if unknown:
            add_labels(self._wire, self._known, stage.repository, stage.pull.number, list(change.add))


def add_labels(wire: Wire, known: Known, repository: str, number: int, labels: list[str]) -> None:
    """One REST call; its answer teaches the labels' ids."""
    ask = Ask(
        doing="put labels on",
        where=pull_subject(repository, number),
        needs="issues: write",
        write=True,
        known=True,
        priority=Priority.COSMETIC,
    )
    answer = wire.rest("POST", f"/repos/{repository}/issues/{number}/labels", ask, body={"labels": labels})
    with understood("the labels", write=True):
        known.learn_labels(repository, {str(label["name"]): str(label["node_id"]) for label in answer})


def remove_label(wire: Wire, repository: str, number: int, label: str) -> None:
    """One REST call; a label that is off already is no error."""
    where = pull_subject(repository, number)
    ask = Ask(doing="take a label off", where=where, needs="issues: write", write=True, priority=Priority.COSMETIC)
    try:
        wire.rest("DELETE", f"/repos/{repository}/issues/{number}/labels/{quote(label, safe='')}", ask)
    except UserError as error:
        if error.code != NOT_FOUND:
            raise


def _slug(login: str) -> str:
    return login.removesuffix("[bot]")
