"""The changes of one service in one stage: which attempts make one change, why a change failed, and when it was recovered.

Decides from the rollouts' roles and from links by identity (marks, fixes, reverts, rollbacks), never from nearness in time.
Counting is left to `dora`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bot.domain.history import Deploy, Failure
from bot.reporting.recovery import Recovered, recovery_of
from bot.reporting.roles import Role, Rollout


class Cause(StrEnum):
    """Why a change counts as failed."""

    ATTEMPT = "a rollout of it failed"
    MARK = "a failure is linked to it"
    ROLLBACK = "a rollback withdrew it"
    REVERT = "a later deployment reverted a pull request that it brought"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a failed change: the cause and the id of the event that shows it."""

    cause: Cause
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What other events say about deploys, by the deploy's or the failure's id: marks, last recoveries, fixes."""

    marks: Mapping[str, Sequence[Failure]]
    closed: Mapping[str, datetime]
    fixed_by: Mapping[str, Sequence[Deploy]]


class Change(NamedTuple):
    """Consecutive attempts of one version up to its first success; dated at its first attempt.

    `deployment` is the attempt that went live, None if none did. `reasons` is empty for a change that did not fail.
    """

    attempts: tuple[Rollout, ...]
    deployment: Rollout | None
    reasons: tuple[Reason, ...]
    marks: tuple[Failure, ...]
    recovered: Recovered | None

    @property
    def first(self) -> Deploy:
        """The first attempt: it dates the change, and exposure to a failure begins with it."""
        return self.attempts[0].deploy

    @property
    def failed(self) -> bool:
        """Whether it needed somebody to step in."""
        return bool(self.reasons)

    @property
    def recovery_s(self) -> float | None:
        """Elapsed seconds from the first attempt to the recovery; None while open or not failed; negative where clocks disagree."""
        return (self.recovered.at - self.first.at).total_seconds() if self.recovered else None

    @property
    def time_to_restore_s(self) -> float | None:
        """Elapsed seconds from the first failure mark to the recovery; None without a mark or while open."""
        return (self.recovered.at - self.marks[0].at).total_seconds() if self.recovered and self.marks else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drafts:
    """The changes of a lane while they are put together.

    `places` are each change's rollouts, `of_place` is the change of a rollout's place. `reasons` and `ends` (the rollouts that ended a
    failure as a whole) know the few changes that have some.
    """

    places: list[list[int]] = field(default_factory=list)
    of_place: dict[int, int] = field(default_factory=dict)
    reasons: dict[int, list[Reason]] = field(default_factory=lambda: defaultdict(list))
    ends: dict[int, list[Deploy]] = field(default_factory=lambda: defaultdict(list))


def changes_of(rollouts: Sequence[Rollout], links: Links) -> tuple[list[Change], list[str]]:
    """The changes in the order of their first attempts, and the links that lead to no deployment of this service and stage."""
    drafts = _grouped(rollouts)
    lost = _withdraw(rollouts, drafts, links)
    lost += _revert(rollouts, drafts)
    following = _next_successes(rollouts)
    found = []
    for number, places in enumerate(drafts.places):
        first = rollouts[places[0]]
        if first.role is Role.DEPLOYMENT and number not in drafts.reasons and first.deploy.id not in links.marks:
            found.append(Change((first,), first, (), (), None))  # nearly all are like this one
        else:
            found.append(_change(number, drafts, rollouts, links, following))
    return found, lost


def _grouped(rollouts: Sequence[Rollout]) -> _Drafts:
    drafts = _Drafts()
    retried: str | None = None
    for place, rollout in enumerate(rollouts):
        if rollout.role is not Role.DEPLOYMENT and rollout.role is not Role.FAILED_ATTEMPT:
            retried = None
            continue
        version = rollout.deploy.version
        if version == retried:
            drafts.places[-1].append(place)
        else:
            drafts.places.append([place])
        drafts.of_place[place] = len(drafts.places) - 1
        retried = None if rollout.role is Role.DEPLOYMENT else version
    return drafts


def _withdraw(rollouts: Sequence[Rollout], drafts: _Drafts, links: Links) -> list[str]:
    """Blames each rollback's culprit and closes the failures of every deployment that it withdrew.

    A failed attempt was never live, so that there is nothing to withdraw: the next success ends it, unless it is the culprit.
    """
    back = [rollout.deploy for rollout in rollouts if rollout.role is Role.ROLLBACK]
    if not back:
        return []
    lost: list[str] = []
    names = frozenset(deploy.rolls_back for deploy in back if deploy.rolls_back is not None)
    places = {name: place for place in drafts.of_place if (name := rollouts[place].deploy.id) in names} if names else {}
    last_live: dict[str, int] = {}
    for place, rollout in enumerate(rollouts):
        if rollout.role is Role.ROLLBACK:
            since = last_live.get(rollout.deploy.version, -1) + 1
            named = rollout.deploy.rolls_back
            if named is not None and places.get(named, place) >= place:
                lost.append(f"{rollout.deploy.id}: rolls_back {named}")
            if named is not None and places.get(named, place) < place:
                culprit: int | None = places[named]
            else:
                culprit = _culprit(rollouts, drafts, links, since, place)
            withdrawn = {drafts.of_place[place] for place in range(since, place) if rollouts[place].role is Role.DEPLOYMENT}
            if culprit is not None:
                blamed = drafts.of_place[culprit]
                drafts.reasons[blamed].append(Reason(cause=Cause.ROLLBACK, by=rollout.deploy.id, at=rollout.deploy.at))
                withdrawn.add(blamed)
            for number in withdrawn:
                drafts.ends[number].append(rollout.deploy)
        if rollout.succeeded:
            last_live[rollout.deploy.version] = place
    return lost


def _culprit(rollouts: Sequence[Rollout], drafts: _Drafts, links: Links, since: int, place: int) -> int | None:
    """Whom a rollback without a name takes back: the failed rollout it answers, else the first deployment since its target was live."""
    for before in range(place - 1, -1, -1):
        if rollouts[before].succeeded:
            break
        if before in drafts.of_place:
            ids = [rollouts[attempt].deploy.id for attempt in drafts.places[drafts.of_place[before]]]
            if not _closed_by_hand(ids, links, rollouts[place].deploy):
                return before
            break
    return next((between for between in range(since, place) if rollouts[between].role is Role.DEPLOYMENT), None)


def _closed_by_hand(attempts: Sequence[str], links: Links, rollback: Deploy) -> bool:
    """Whether a fix of another service, or the recoveries of all marks, ended the failure before the rollback."""
    if any(fix.place < rollback.place for attempt in attempts for fix in links.fixed_by.get(attempt, ())):
        return True
    marks = [mark for attempt in attempts for mark in links.marks.get(attempt, ()) if mark.at <= rollback.at]
    return bool(marks) and all(mark.id in links.closed and links.closed[mark.id] <= rollback.at for mark in marks)


def _revert(rollouts: Sequence[Rollout], drafts: _Drafts) -> list[str]:
    """Blames the change that first carried a pull request which a later deployment reverts.

    The change that first went live with it is meant; a failed one only where none did. A revert in the same batch blames nobody.
    """
    if not any(rollout.deploy.reverts_prs for rollout in rollouts):
        return []
    lost: list[str] = []
    live: dict[int, int] = {}
    tried: dict[int, int] = {}
    for place, number in drafts.of_place.items():
        rollout = rollouts[place]
        for pull in rollout.deploy.prs:
            (live if rollout.succeeded else tried).setdefault(pull.number, number)
        if rollout.role is not Role.DEPLOYMENT:
            continue
        for pull_number in rollout.deploy.reverts_prs:
            carrier = live.get(pull_number, tried.get(pull_number))
            if carrier is None:
                lost.append(f"{rollout.deploy.id}: reverts_prs {pull_number}")
            elif carrier != number:
                drafts.reasons[carrier].append(Reason(cause=Cause.REVERT, by=rollout.deploy.id, at=rollout.deploy.at))
                drafts.ends[carrier].append(rollout.deploy)
    return lost


def _next_successes(rollouts: Sequence[Rollout]) -> list[Rollout | None]:
    """For each place the next successful rollout of any kind after it."""
    following: list[Rollout | None] = []
    found: Rollout | None = None
    for rollout in reversed(rollouts):
        following.append(found)
        found = rollout if rollout.succeeded else found
    return following[::-1]


def _change(number: int, drafts: _Drafts, rollouts: Sequence[Rollout], links: Links, following: Sequence[Rollout | None]) -> Change:
    places = drafts.places[number]
    attempts = tuple(rollouts[place] for place in places)
    own = {attempt.deploy.id for attempt in attempts}
    deployment = attempts[-1] if attempts[-1].succeeded else None
    marks = tuple(sorted((m for name in own for m in links.marks.get(name, ())), key=lambda mark: (mark.at, mark.id)))
    reasons = [*_attempts_and_marks(attempts, marks), *drafts.reasons.get(number, ())]
    fixes = [fix for name in own for fix in links.fixed_by.get(name, ()) if fix.id not in own and fix.place > attempts[0].deploy.place]
    recovered = None
    if reasons:
        failed = [place for place in places if not rollouts[place].succeeded]
        recovered = recovery_of(
            marks=marks,
            closed=links.closed,
            ends=[*drafts.ends.get(number, ()), *fixes],
            next_success=following[failed[-1]] if failed else None,
            went_live=deployment is not None,
        )
    return Change(attempts=attempts, deployment=deployment, reasons=tuple(reasons), marks=marks, recovered=recovered)


def _attempts_and_marks(attempts: Sequence[Rollout], marks: Sequence[Failure]) -> Iterator[Reason]:
    for attempt in attempts:
        if not attempt.succeeded:
            yield Reason(cause=Cause.ATTEMPT, by=attempt.deploy.id, at=attempt.deploy.at)
    for mark in marks:
        yield Reason(cause=Cause.MARK, by=mark.id, at=mark.at)
