"""Rollouts that a backfill rebuilt from git, beside what the bot recorded itself: its own history wins, and nothing is told twice.

Decides which rebuilt rollouts the bot's own history tells already: by the commit that the bot merged, or, where its own rollout names no
commit (one that it only saw running), by the version. What is left fills the time before the bot and the gaps in which it did not run.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.domain.action import SaveDeployment
from bot.domain.history import Deploy, RolloutKind, RolloutStatus
from bot.reporting.recorded import deploy_id

CLOSE = timedelta(minutes=1)
SHORT = 16
"""So much of a commit's id stands in a rebuilt rollout's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """One service's rollouts in one stage, in order. `renamed`: the ids of rebuilt ones that are left out, with the one that tells it."""

    deploys: tuple[Deploy, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)


def rebuilt_id(stage: str, commit: str, service: str) -> str:
    """The identity of what a commit of the stage's branch brought."""
    return f"git:{stage}:{commit[:SHORT]}:{service}"


def ids_by_commit(saved: Iterable[SaveDeployment]) -> dict[str, str]:
    """The recorded rollouts under the ids that a backfill gives their commits; of several attempts the last."""
    return {
        rebuilt_id(row.promotion.stage, commit, row.service): deploy_id(row)
        for row in sorted(saved, key=lambda row: row.at)
        if (commit := _commit_of(row))
    }


def joined(own: Sequence[Deploy], rebuilt: Iterable[Deploy], *, known: Mapping[str, str], merged: Collection[tuple[str, str]]) -> Joined:
    """Both histories of one service in one stage. `known` is what `ids_by_commit` says, `merged` the (stage, commit) of everything that
    the bot merged or reverted there: a promotion of its own that has no rollout on record is none here either."""
    old = sorted(rebuilt, key=lambda one: one.place)
    if not old:
        return Joined(deploys=tuple(own))
    commits = {commit[:SHORT] for stage, commit in merged if stage == old[0].stage}
    renamed = {one.id: known[one.id] for one in old if one.id in known}
    recorded, first = set(known.values()), None
    for one in own:
        explained = None if one.id in recorded else _explained(one, own, old)
        if explained is None:
            continue
        if one.baseline:
            first = one.id
        else:
            renamed.setdefault(explained.id, one.id)
    renamed |= dict(_already_live(own, [one for one in old if one.id not in renamed]))
    left = [one for one in old if one.id not in renamed and _commit_in(one) not in commits]
    begin = min((one.at for one in left), default=None)
    kept = [replace(one, baseline=False) if one.baseline and begin and begin < one.at else one for one in own if one.id != first]
    told = [replace(one, rolls_back=renamed.get(one.rolls_back, one.rolls_back)) if one.rolls_back else one for one in left]
    return Joined(deploys=tuple(sorted([*kept, *told], key=lambda one: one.place)), renamed=renamed)


def _explained(one: Deploy, own: Sequence[Deploy], old: Sequence[Deploy]) -> Deploy | None:
    """The rebuilt rollout that brought the version which the bot saw: the last of that version, if nothing else of ours lies between."""
    found = [past for past in old if past.at <= one.at + CLOSE and _same(past, one)]
    if not found or any(found[-1].at < other.at < one.at and not _same(other, one) for other in own):
        return None
    return found[-1]


def _already_live(own: Sequence[Deploy], old: Iterable[Deploy]) -> Iterator[tuple[str, str]]:
    """First sights of a backfill that began later than the bot: the version that the bot's own history knows as live."""
    for one in old:
        before = [past for past in own if past.at <= one.at and past.status is RolloutStatus.SUCCESS]
        if one.baseline and before and _same(before[-1], one):
            yield one.id, before[-1].id


def _same(one: Deploy, other: Deploy) -> bool:
    """The same version, as git and cluster each write it: with or without digests, and with or without a single component's name."""
    mine, theirs = _parts(one.version), _parts(other.version)
    if len(mine) == 1 or len(theirs) == 1:
        return all(_fits(own, their) for own in mine.values() for their in theirs.values())
    return mine.keys() == theirs.keys() and all(_fits(mine[name], theirs[name]) for name in mine)


def _fits(one: tuple[str, str], other: tuple[str, str]) -> bool:
    (tag, digest), (tag_there, digest_there) = one, other
    return digest == digest_there if digest and digest_there else tag == tag_there


def _parts(version: str) -> dict[str, tuple[str, str]]:
    """Tag and digest by component; one component for a version without names."""
    found = (part.rpartition("=") for part in version.split(","))
    return {name: (text.partition("@")[0], text.partition("@")[2]) for name, _, text in found}


def _commit_in(one: Deploy) -> str:
    return one.id.removeprefix(f"git:{one.stage}:")[:SHORT]


def _commit_of(row: SaveDeployment) -> str | None:
    back = row.kind in (RolloutKind.ROLLBACK, RolloutKind.REVERT)
    return row.promotion.revert_commit if back else row.promotion.merge_commit
