"""From a series of observations of one workload to what became of the promotion: the rules of time.

Decides from states, images and instants: when a good state has stood long enough (bake), when a bad one has (confirm), when
waiting is over (timeout), and what it means that the workload left the wanted image, was deleted, or broke again after it was
complete. How one object stands is decided by its kind's rules; what the bot does about it is decided in planning.

The same fold runs over a live cluster's timeline and over a recording.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.duration import spell
from bot.domain.rollout import RolloutState, WorkloadState
from bot.workloads.wanted import overtaken_by, wants

FLAPS = 2


class Outcome(StrEnum):
    """What became of a promotion in one workload."""

    PROGRESSING = "progressing"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    TIMED_OUT = "timed_out"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rules of time. `timeout`: from the first sight of the wanted image (or a later change of the spec, or a break) to
    complete. `bake`: how long complete must stand. `confirm`: how long degraded must stand before it is settled, as an
    exceeded progress deadline may pass (a slow pod, an API server that was away).
    """

    timeout: timedelta
    bake: timedelta
    confirm: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What became of the promotion, as far as known at an instant. `settled`: waiting longer changes nothing by itself."""

    outcome: Outcome
    reason: str
    settled: bool
    look_again: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What the fold remembers. `wanted` None means whatever the workload wants. Instants are UTC.

    `clock` is when the time limit began to run; `left_to` what the workload wants since it left the wanted image; `broke` how
    often since the last bake it stopped being complete by itself, with no change of its spec; `crashed` whether containers
    restarted then; `crashes` when the latest such breaks began, bake or not.
    """

    wanted: str | None
    limits: Limits
    started_at: datetime
    clock: datetime
    present: WorkloadState | None = None
    taken_at: datetime | None = None
    before: tuple[str, ...] = ()
    left_to: tuple[str, ...] = ()
    healthy_since: datetime | None = None
    degraded_since: datetime | None = None
    failure: str = ""
    baked: bool = False
    broke: int = 0
    crashed: bool = False
    crashes: tuple[datetime, ...] = ()
    restarts: int = 0


def begin(wanted: str | None, limits: Limits, started_at: datetime) -> Track:
    """A watch that has seen nothing yet; `started_at` (UTC) is the merge, or the first look."""
    return Track(wanted=wanted, limits=limits, started_at=started_at, clock=started_at)


def follow(wanted: str | None, limits: Limits, started_at: datetime, states: Iterable[WorkloadState]) -> Track:
    """The whole fold over a timeline, oldest first."""
    track = begin(wanted, limits, started_at)
    for state in states:
        track = step(track, state)
    return track


def step(track: Track, state: WorkloadState) -> Track:
    """The watch after one more observation."""
    if not state.uid and not state.images:
        return replace(track, present=state, healthy_since=None, degraded_since=None, baked=False)
    if track.wanted is not None and not wants(state.images, track.wanted):
        return step_elsewhere(track, state)
    return step_here(track, state)


def step_elsewhere(track: Track, state: WorkloadState) -> Track:
    """The workload wants another image: not yet ours, or not ours any more."""
    if track.taken_at is None:
        return replace(track, present=state, before=tuple(dict.fromkeys(track.before + state.images)))
    return replace(
        track, present=state, left_to=state.images, healthy_since=None, degraded_since=None, baked=False, broke=0, crashed=False, crashes=()
    )


def step_here(track: Track, state: WorkloadState) -> Track:
    """The workload wants the promoted image: count its health, its breaks and its failures."""
    at, before = state.observed_at, track.present
    complete = state.state is RolloutState.HEALTHY and state.rolled_out
    same_object = before is not None and before.uid == state.uid
    respecified = not (same_object and before is not None and before.generation == state.generation)
    since = track.healthy_since if same_object else None
    if since is not None and at - since >= track.limits.bake:
        track = replace(track, baked=True, broke=0, crashed=False)
    left_health = since is not None and not complete
    broke = left_health and not respecified and state.state is not RolloutState.SUSPENDED
    resumed = before is not None and before.state is RolloutState.SUSPENDED and state.state is not RolloutState.SUSPENDED
    starts = track.taken_at is None or bool(track.left_to) or not same_object
    degraded = state.state is RolloutState.DEGRADED
    breaks = track.broke + int(broke)
    crashed = breaks > 0 and state.restarts > track.restarts
    begun = at if broke else track.clock
    earlier = tuple(crash for crash in track.crashes if at - crash < track.limits.timeout and same_object)
    return replace(
        track,
        present=state,
        taken_at=track.taken_at or at,
        left_to=(),
        clock=at if starts or resumed or left_health else track.clock,
        healthy_since=(since or at) if complete else None,
        degraded_since=(track.degraded_since or at) if degraded else None,
        failure=state.reason if degraded else track.failure,
        baked=track.baked and not left_health and same_object,
        broke=breaks,
        crashed=track.crashed or crashed,
        crashes=(*earlier, begun) if crashed and begun not in earlier else earlier,
        restarts=state.restarts if complete else track.restarts,
    )


def judge(track: Track, now: datetime) -> Ruling:
    """What became of the promotion, as known at `now` (UTC)."""
    present = track.present
    if present is None:
        return Ruling(outcome=Outcome.UNKNOWN, reason="the workload has not been seen yet", settled=False)
    if not present.uid and not present.images:
        return judge_gone(track, present, now)
    if track.left_to:
        return judge_left(track)
    if track.taken_at is None:
        return judge_not_taken(track, present, now)
    match present.state:
        case RolloutState.SUSPENDED:
            return Ruling(outcome=Outcome.SUSPENDED, reason=present.reason, settled=False)
        case RolloutState.UNKNOWN:
            return Ruling(outcome=Outcome.UNKNOWN, reason=present.reason, settled=False)
        case RolloutState.DEGRADED:
            due = (track.degraded_since or now) + track.limits.confirm
            return Ruling(outcome=Outcome.DEGRADED, reason=present.reason, settled=now >= due, look_again=due)
    if track.healthy_since is not None:
        return judge_complete(track, present, track.healthy_since, now)
    return judge_waiting(track, present, now)


def judge_gone(track: Track, present: WorkloadState, now: datetime) -> Ruling:
    """Not found: not there yet, gone, or a wrong name. Never healthy; the time limit only ends the waiting."""
    due = max(track.clock, present.observed_at if track.taken_at else track.started_at) + track.limits.timeout
    return Ruling(outcome=Outcome.UNKNOWN, reason=present.reason, settled=now >= due, look_again=due)


def judge_left(track: Track) -> Ruling:
    """The workload wants another image than ours: a newer one overtook us, or we were taken back."""
    shown = ", ".join(track.left_to)
    failed = f" after it had failed ({track.failure})" if track.failure else ""
    if overtaken_by(track.left_to, track.wanted or "", track.before):
        return Ruling(outcome=Outcome.SUPERSEDED, reason=f"the workload wants {shown} now, newer than {track.wanted}{failed}", settled=True)
    return Ruling(outcome=Outcome.DEGRADED, reason=f"{track.wanted} was taken back{failed}; the workload wants {shown}", settled=True)


def judge_not_taken(track: Track, present: WorkloadState, now: datetime) -> Ruling:
    """The wanted image has not arrived in the cluster."""
    shown = ", ".join(present.images) or "no image"
    if overtaken_by(present.images, track.wanted or "", present.images):
        return Ruling(outcome=Outcome.SUPERSEDED, reason=f"the workload wants {shown}, newer than {track.wanted}", settled=True)
    due = track.started_at + track.limits.timeout
    if now >= due:
        reason = f"{track.wanted} was never taken: after {spell(track.limits.timeout)} the workload still wants {shown}"
        return Ruling(outcome=Outcome.TIMED_OUT, reason=reason, settled=True)
    reason = f"{track.wanted} is not taken yet; the workload wants {shown}"
    return Ruling(outcome=Outcome.PROGRESSING, reason=reason, settled=False, look_again=due)


def judge_complete(track: Track, present: WorkloadState, since: datetime, now: datetime) -> Ruling:
    """Complete: does it stay so?"""
    due = since + track.limits.bake
    crashes = [crash for crash in track.crashes if now - crash < track.limits.timeout]
    if len(crashes) >= FLAPS:
        reason = f"its containers crashed {len(crashes)} times within {spell(track.limits.timeout)} after it was complete"
        calm = crashes[-FLAPS] + track.limits.timeout
        return Ruling(outcome=Outcome.DEGRADED, reason=f"{reason}; now: {present.reason}", settled=False, look_again=calm)
    if track.baked or now >= due:
        late = since - track.clock - track.limits.timeout
        told = f", {spell(late)} after the time limit" if late > timedelta() else ""
        return Ruling(outcome=Outcome.HEALTHY, reason=f"{present.reason}{told}", settled=True)
    if flaps(track):
        reason = f"it was complete and broke again {track.broke} times; now: {present.reason}"
        return Ruling(outcome=Outcome.DEGRADED, reason=reason, settled=track.broke >= FLAPS, look_again=due)
    reason = f"{present.reason}; it must stay so for {spell(track.limits.bake)}"
    return Ruling(outcome=Outcome.PROGRESSING, reason=reason, settled=False, look_again=due)


def judge_waiting(track: Track, present: WorkloadState, now: datetime) -> Ruling:
    """Not complete: still within the time limit, broken after it was complete, or waiting for ever."""
    due = track.clock + track.limits.timeout
    if flaps(track):
        settled_at = track.clock + track.limits.confirm
        settled = track.broke >= FLAPS or now >= settled_at
        reason = f"it was complete and broke again: {present.reason}"
        return Ruling(outcome=Outcome.DEGRADED, reason=reason, settled=settled, look_again=settled_at)
    if now >= due:
        was = "broke after it was complete and did not recover" if track.broke else "is not complete"
        reason = f"the workload {was} within {spell(track.limits.timeout)}: {present.reason}"
        return Ruling(outcome=Outcome.TIMED_OUT, reason=reason, settled=True)
    return Ruling(outcome=Outcome.PROGRESSING, reason=present.reason, settled=False, look_again=due)


def flaps(track: Track) -> bool:
    """Whether it keeps breaking by itself: twice, or once with containers that restarted."""
    return track.broke >= FLAPS or (track.broke > 0 and track.crashed)
