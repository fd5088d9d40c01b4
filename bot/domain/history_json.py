"""Reads and writes delivery events as JSON, one event at a time.

Decides whether a JSON object is an event, and names the field that is wrong if it is not. A field with `null` counts as absent;
fields nobody knows are left to the caller (`unknown_fields`), never refused. What the events mean is left to the reports.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar, assert_never

from bot.domain.history import CommitRef, Deploy, Event, Failure, PullRef, Recovery, RolloutKind, RolloutStatus
from bot.domain.instants import format_instant, parse_instant

_FIELDS = {
    "deploy": frozenset(field.name for field in fields(Deploy)) | {"t"},
    "failure": frozenset(field.name for field in fields(Failure)) | {"t"},
    "recovery": frozenset(["t", "failure", "at", "team"]),
}

_STATUS = {status.value: status for status in RolloutStatus}
_KIND = {kind.value: kind for kind in RolloutKind}

Choice = TypeVar("Choice")
Item = TypeVar("Item")


class HistoryError(ValueError):
    """A history that cannot be read: `why` is the sentence, `event` an index (None: the file itself), `field` the place in it."""

    def __init__(self, why: str, *, field: str | None = None, event: int | None = None) -> None:
        where = [f"event {event}"] if event is not None else []
        where += [f"field {field}"] if field else []
        super().__init__(f"{', '.join(where)}: {why}" if where else why)
        self.why, self.field, self.event = why, field, event


def read_event(raw: object) -> Event:
    """The event that a parsed JSON object describes. Raises HistoryError with the field and a sentence."""
    if not isinstance(raw, dict):
        raise HistoryError(f"an event is a JSON object, this is {named(raw)}")
    match raw.get("t"):
        case "deploy":
            return _deploy(raw)
        case "failure":
            return Failure(
                id=_text(raw, "id"),
                at=_instant(raw, "at"),
                deploy=_optional_text(raw, "deploy"),
                service=_optional_text(raw, "service"),
                stage=_optional_text(raw, "stage"),
                source=_optional_text(raw, "source"),
                cause=_optional_text(raw, "cause"),
                team=_optional_text(raw, "team"),
            )
        case "recovery":
            return Recovery(failure=_text(raw, "failure"), at=_instant(raw, "at"))
        case None:
            raise HistoryError("it is missing; an event is a deploy, a failure or a recovery", field="t")
        case other:
            raise HistoryError(f"{other!r} is not a kind of event; known are deploy, failure and recovery", field="t")


def unknown_fields(raw: Mapping[str, object]) -> frozenset[str]:
    """The names in an event's JSON object that mean nothing to us."""
    known = _FIELDS.get(str(raw.get("t")), frozenset())
    return frozenset() if raw.keys() <= known else frozenset(raw) - known


def event_to_json(event: Event) -> dict[str, object]:
    """The JSON object of an event; what is empty or unknown is left out."""
    match event:
        case Deploy():
            found: dict[str, object | None] = {
                "t": "deploy", "id": event.id, "service": event.service, "stage": event.stage, "at": format_instant(event.at),
                "version": event.version, "status": event.status.value, "kind": event.kind.value if event.kind else None,
                "commits": [{"sha": commit.sha, "at": format_instant(commit.at)} for commit in event.commits] or None,
                "prs": [_pull_to_json(pull) for pull in event.prs] or None,
                "fixes": list(event.fixes) or None, "reverts_prs": list(event.reverts_prs) or None,
                "rolls_back": event.rolls_back, "baseline": event.baseline or None, "team": event.team,
                "doubts": list(event.doubts) or None,
            }  # fmt: skip
        case Failure():
            found = {
                "t": "failure", "id": event.id, "deploy": event.deploy, "at": format_instant(event.at), "service": event.service,
                "stage": event.stage, "source": event.source, "cause": event.cause, "team": event.team,
            }  # fmt: skip
        case Recovery():
            found = {"t": "recovery", "failure": event.failure, "at": format_instant(event.at)}
        case _:
            assert_never(event)
    return {name: value for name, value in found.items() if value is not None}


def _deploy(raw: Mapping[str, object]) -> Deploy:
    baseline = raw.get("baseline")
    if baseline is not None and not isinstance(baseline, bool):
        raise HistoryError(f"it is true or false, this is {named(baseline)}", field="baseline")
    return Deploy(
        id=_text(raw, "id"),
        service=_text(raw, "service"),
        stage=_text(raw, "stage"),
        at=_instant(raw, "at"),
        version=_text(raw, "version"),
        status=_choice(raw, "status", _STATUS),
        kind=_choice(raw, "kind", _KIND) if raw.get("kind") is not None else None,
        commits=_commits(raw) if raw.get("commits") != [] else (),
        prs=_items(raw, "prs", _pull) if "prs" in raw else (),
        fixes=_items(raw, "fixes", _word) if "fixes" in raw else (),
        reverts_prs=_items(raw, "reverts_prs", _number) if "reverts_prs" in raw else (),
        rolls_back=_optional_text(raw, "rolls_back"),
        baseline=bool(baseline),
        team=_optional_text(raw, "team"),
        doubts=_items(raw, "doubts", _word) if "doubts" in raw else (),
    )


def _commits(raw: Mapping[str, Any]) -> tuple[CommitRef, ...]:
    """The commits of a deploy. They are most of a history, so that good ones are taken at once; where one is bad the place is told."""
    found = raw.get("commits", [])
    if not isinstance(found, list):
        return _items(raw, "commits", _commit)
    try:
        commits = tuple([CommitRef(one["sha"], parse_instant(one["at"])) for one in found])
    except (TypeError, KeyError, ValueError):
        return _items(raw, "commits", _commit)
    if not [sha for sha, _ in commits if type(sha) is not str or not sha]:
        return commits
    return _items(raw, "commits", _commit)


def _commit(raw: object) -> CommitRef:
    if not isinstance(raw, dict):
        raise HistoryError(f"a commit is an object with sha and at, this is {named(raw)}")
    return CommitRef(sha=_text(raw, "sha"), at=_instant(raw, "at"))


def _pull(raw: object) -> PullRef:
    if not isinstance(raw, dict):
        raise HistoryError(f"a pull request is an object with a number, this is {named(raw)}")
    merged = _instant(raw, "merged_at") if raw.get("merged_at") is not None else None
    return PullRef(number=_number(raw.get("number")), merged_at=merged, commits=_items(raw, "commits", _word))


def _pull_to_json(pull: PullRef) -> dict[str, object]:
    found: dict[str, object | None] = {
        "number": pull.number,
        "merged_at": format_instant(pull.merged_at) if pull.merged_at else None,
        "commits": list(pull.commits) or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _items(raw: Mapping[str, object], field: str, read: Callable[[object], Item]) -> tuple[Item, ...]:
    found = raw.get(field)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise HistoryError(f"it is a list, this is {named(found)}", field=field)
    items: list[Item] = []
    for index, item in enumerate(found):
        try:
            items.append(read(item))
        except HistoryError as error:
            raise HistoryError(error.why, field=f"{field}[{index}]" + (f".{error.field}" if error.field else "")) from None
    return tuple(items)


def _text(raw: Mapping[str, object], field: str) -> str:
    found = raw.get(field)
    if found and isinstance(found, str):
        return found
    if found is None:
        raise HistoryError("it is missing", field=field)
    raise HistoryError(f"it is a text that is not empty, this is {named(found)}", field=field)


def _optional_text(raw: Mapping[str, object], field: str) -> str | None:
    return _text(raw, field) if raw.get(field) is not None else None


def _instant(raw: Mapping[str, object], field: str) -> datetime:
    found = raw.get(field)
    if found is None:
        raise HistoryError("it is missing", field=field)
    try:
        return parse_instant(found)
    except ValueError as error:
        raise HistoryError(str(error), field=field) from None


def _choice(raw: Mapping[str, object], field: str, choices: Mapping[str, Choice]) -> Choice:
    found = _text(raw, field)
    if found not in choices:
        raise HistoryError(f"{found!r} is not one of {', '.join(choices)}", field=field)
    return choices[found]


def _word(raw: object) -> str:
    if not isinstance(raw, str) or not raw:
        raise HistoryError(f"it is a text that is not empty, this is {named(raw)}")
    return raw


def _number(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise HistoryError(f"the number of a pull request is a whole number, this is {named(raw)}")
    return raw


def named(raw: object) -> str:
    """Kind and beginning of a JSON value, for a sentence about it."""
    text = repr(raw)
    return f"{type(raw).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
