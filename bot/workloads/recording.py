"""Feeds a recording of a cluster's answers through the very cache and fold that watch a live one.

Decides which entries of the file are observations of its target, and what the states are at the recording's end. How long
the last state would have to stand is counted on past the end, because nothing changes it any more. Errors of the API are no
observations: the last known state stands. Reading the file is left to the caller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.rollout import RolloutState, WorkloadRef, WorkloadState
from bot.workloads.cache import Cache, key_of
from bot.workloads.describe import describe, gone, images
from bot.workloads.family import Key
from bot.workloads.fields import at, items, kind, name, number, text
from bot.workloads.watch import Limits, Outcome, Ruling, Track, begin, judge, step

SOURCES = ("GitRepository", "OCIRepository", "Bucket")
AGENTS = frozenset({"Application", "ApplicationSet", "Kustomization", "HelmRelease"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """From `t` (seconds since the recording's start) the workload's own state, until the next row."""

    t: float
    state: RolloutState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a recording says: the workload's state and the promotion's outcome at its end, and the changes before."""

    workload: RolloutState
    promotion: Outcome
    reason: str
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """The command's output. A promotion that ran out of its time is degraded by our own limit."""
        outcome = Outcome.DEGRADED if self.promotion is Outcome.TIMED_OUT else self.promotion
        rows = [{"t": row.t, "state": row.state.value, "reason": row.reason} for row in self.rows]
        return {"workload": self.workload.value, "promotion": outcome.value, "reason": self.reason, "verdicts": rows}


@dataclass(slots=True)
class Player:
    """Where the replay stands; `problem` is the API's last complaint about the target."""

    target: WorkloadRef
    started: datetime
    cache: Cache
    track: Track
    rows: list[Row]
    problem: str = ""

    def key(self) -> Key:
        """The target's key in the cache."""
        return self.target.kind, self.target.namespace, self.target.name

    def observe(self, t: float, *, missing: str = "") -> None:
        """The target as the cache has it now becomes an observation and, where its state changed, a row."""
        state = self.state(t, missing)
        self.track = step(self.track, state)
        if not self.rows or self.rows[-1].state is not state.state:
            self.rows.append(Row(t=t, state=state.state, reason=state.reason))

    def state(self, t: float, missing: str) -> WorkloadState:
        """The target's state at `t`."""
        moment = self.started + timedelta(seconds=t)
        known = self.cache.objects.get(self.key())
        if known is None:
            return gone(self.target, at=moment, reason=missing or f"{self.target} was not found")
        related = self.cache.below(self.key()) + list(self.cache.of(*SOURCES))
        return describe(known, related=related, at=moment)


def replay(recording: Mapping[str, Any], *, image: str | None, limits: Limits) -> Replay:
    """The recording from its start to its end. `image` is the promoted one; without it the recording's own, or none."""
    target, wanted = target_of(recording), image or wanted_image(recording)
    started = start_of(recording)
    player = Player(target=target, started=started, cache=Cache(), track=begin(wanted, limits, started), rows=[])
    t = 0.0
    for entry in items(recording, "entries"):
        t = moment_of(entry, t)
        play(player, entry, t)
    if not player.rows and player.cache.objects.get(player.key()) is not None:
        player.observe(t)
    return finish(player, limits, started + timedelta(seconds=t))


def finish(player: Player, limits: Limits, end: datetime) -> Replay:
    """The states at the end; a promotion still under way is judged as if the last state stood for as long as is asked."""
    ruling = judge(player.track, end)
    if ruling.outcome is Outcome.PROGRESSING:
        ruling = judge(player.track, end + limits.timeout + limits.bake)
    present = player.track.present
    if present is None:
        reason = player.problem or f"the recording holds no answer about {player.target}"
        return Replay(workload=RolloutState.UNKNOWN, promotion=Outcome.UNKNOWN, reason=reason, rows=())
    return Replay(workload=present.state, promotion=ruling.outcome, reason=told(ruling, player), rows=tuple(player.rows))


def told(ruling: Ruling, player: Player) -> str:
    """The ruling's sentence, with the API's last complaint where the state is unknown because of it."""
    return f"{ruling.reason} ({player.problem})" if ruling.outcome is Outcome.UNKNOWN and player.problem else ruling.reason


def play(player: Player, entry: Mapping[str, Any], t: float) -> None:
    """One entry of the recording."""
    match text(entry, "type"):
        case "http":
            play_answer(player, entry, t)
        case "watch_event":
            obj = at(entry, "event", "object")
            if isinstance(obj, dict):
                change = text(entry, "event", "type")
                changed = player.cache.event(change, obj)
                mine = key_of(obj) == player.key() or player.key() in player.cache.borrowers(key_of(obj))
                if mine and (changed or not player.rows):
                    player.observe(t, missing=f"{player.target} was deleted" if change == "DELETED" else "")


def play_answer(player: Player, entry: Mapping[str, Any], t: float) -> None:
    """One answer of the API: the target itself, a list, or an error that only leaves a complaint."""
    status, body = number(entry, "response", "status"), at(entry, "response", "body")
    mine = text(entry, "request", "method") in ("GET", "") and names(player.target, text(entry, "request", "path"))
    if status == 404 and mine:
        if f"/namespaces/{player.target.namespace}/" in text(entry, "request", "path"):
            player.cache.not_found(player.key())
        player.observe(t)
    elif status is None or status >= 400:
        if mine or not text(entry, "request", "path"):
            player.problem = complaint(entry) or player.problem
    elif at(entry, "response", "same_as_previous") is True and mine and player.rows:
        player.observe(t)
    elif isinstance(body, dict) and isinstance(body.get("items"), list):
        if play_list(player, entry, body) and player.rows:
            player.observe(t)
    elif isinstance(body, dict) and kind(body):
        player.cache.seen(body)
        if mine and key_of(body) == player.key():
            player.observe(t)


def play_list(player: Player, entry: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """A list fills the cache: it is what the watch after it starts from. Items of built-in kinds name neither kind nor group.

    True when the target is another now than before: it changed while no watch was open (after a 410). The first sight of it is left to
    what speaks of the target alone.
    """
    item_kind, version = kind(body).removesuffix("List"), text(body, "apiVersion")
    partial = at(entry, "request", "query", "limit") is not None or at(entry, "request", "query", "continue") is not None
    named = str(at(entry, "request", "query", "fieldSelector") or "")
    found = [{"kind": item_kind, "apiVersion": version, **obj} for obj in items(body, "items")]
    if partial or named or not item_kind:
        changed = {key_of(obj) for obj in found if player.cache.seen(obj)}
        return player.key() in changed
    path = text(entry, "request", "path").split("/")
    space = path[path.index("namespaces") + 1] if "namespaces" in path[:-1] else None
    written = text(body, "metadata", "resourceVersion")
    return player.key() in player.cache.listed(item_kind, space, found, int(written) if written.isdigit() else None)


def names(target: WorkloadRef, path: str) -> bool:
    """Whether the path reads that one object."""
    plural = f"{target.kind.lower()}s"
    return path.endswith(f"/{plural}/{target.name}")


def complaint(entry: Mapping[str, Any]) -> str:
    """What an answer that was no answer says."""
    status = number(entry, "response", "status")
    said = text(entry, "response", "body", "message") or text(entry, "response", "body_text").strip() or text(entry, "exception", "text")
    path = text(entry, "request", "path")
    if status is None:
        return f"the API server was not reached: {said}" if said else ""
    return f"the API server answered {status}" + (f" for {path}" if path else "") + (f": {said}" if said else "")


def target_of(recording: Mapping[str, Any]) -> WorkloadRef:
    """The recording's target; without one, the first object that is read alone or comes by a watch."""
    named = at(recording, "target")
    if isinstance(named, Mapping):
        space = text(named, "namespace") or text(recording, "namespace") or space_of(recording, text(named, "kind"), text(named, "name"))
        return WorkloadRef(kind=text(named, "kind"), namespace=space, name=text(named, "name"), api_version=text(named, "apiVersion"))
    for obj in objects(recording):
        found = text(obj, "metadata", "namespace")
        return WorkloadRef(kind=kind(obj), namespace=found, name=name(obj), api_version=text(obj, "apiVersion"))
    return WorkloadRef(kind="object", namespace=text(recording, "namespace"), name="", api_version="")


def space_of(recording: Mapping[str, Any], wanted_kind: str, wanted_name: str) -> str:
    """The namespace of the first object of that kind and name; empty where none is in it."""
    found = (obj for obj in objects(recording) if (kind(obj), name(obj)) == (wanted_kind, wanted_name))
    return next((text(obj, "metadata", "namespace") for obj in found), "")


def objects(recording: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every object that is read alone or comes by a watch, in the file's order."""
    for entry in items(recording, "entries"):
        for obj in (at(entry, "response", "body"), at(entry, "event", "object")):
            if isinstance(obj, Mapping) and name(obj) and text(obj, "metadata", "resourceVersion"):
                yield obj


def wanted_image(recording: Mapping[str, Any]) -> str | None:
    """The promoted image that the recording names; else the first that somebody writes in it, else the first that is seen."""
    for named in (text(recording, "wanted_image"), text(recording, "expected", "wanted_image")):
        if named:
            return named
    target = target_of(recording)
    if target.kind in AGENTS:
        return None
    for entry in items(recording, "entries"):
        body = at(entry, "request", "body")
        if text(entry, "type") == "action" and isinstance(body, Mapping) and images(body):
            return images(body)[0]
    mine = (obj for obj in objects(recording) if (kind(obj), name(obj)) == (target.kind, target.name))
    return next((found[0] for found in map(images, mine) if found), None)


def start_of(recording: Mapping[str, Any]) -> datetime:
    """When the recording began (UTC)."""
    written = text(recording, "recorded_at")
    try:
        return datetime.fromisoformat(written).astimezone(UTC) if written else EPOCH
    except ValueError:
        return EPOCH


def moment_of(entry: Mapping[str, Any], before: float) -> float:
    """The entry's seconds since the start; never earlier than the entry before it."""
    written = entry.get("t")
    return max(before, float(written)) if isinstance(written, int | float) and not isinstance(written, bool) else before
