"""Finds promotions again that were merged, or taken back, when the database was lost: by the trailers in the stage's branch.

So their rollout is still watched, a failed one still taken back, and what was taken back does not come again by itself. A rollout is
looked for while it is young; a pull request that takes a promotion back, as long as its branch is there; what was taken back, as far as
the log is read. What was replaced is read from the commit itself. Open promotions are found again elsewhere (`planning/adopt`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.config.schema import Config, Stage
from bot.domain.facts import ServiceView
from bot.domain.promotion import Move, Promotion, PromotionState, SlotEdit, branch_name
from bot.domain.release import Release
from bot.domain.slot import Slot
from bot.manifests import find_slots, is_candidate
from bot.planning.plan import group_name
from bot.ports import CommitInfo, Repositories

MERGED = re.compile(r"^Promotion-Id: (?P<id>[0-9a-f]{16})$", re.MULTILINE)
REVERTED = re.compile(r"^Reverts-Promotion: (?P<id>[0-9a-f]{16})$", re.MULTILINE)
BATCH = re.compile(r"^promote\([a-z0-9-]+\): (?P<name>[a-z0-9][a-z0-9._-]*) \(\d+ services\)")
REVERT_BRANCH = "promotion-revert/"
LOST_REASON = "its rollout failed (the reason was lost with the database)"
NUMBER = re.compile(r"\(#(?P<number>\d{1,9})\)\s*$")
GENEROUS = timedelta(minutes=30)
LOOK_BACK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One version that a commit changed."""

    before: Slot
    after: Slot


def lost(
    config: Config, stage: Stage, repositories: Repositories, head: str, services: Mapping[str, ServiceView], *, now: datetime
) -> tuple[Promotion, ...]:
    """The newest merged promotion of each name that may still roll out or waits to be taken back, and those that were taken back and
    never merged again, as far as the branch's log tells."""
    young = now - (stage.rollout.timeout + stage.rollout.bake + stage.rollout.grace + GENEROUS)
    log = repositories.log(stage.repository, after=None, until=head, limit=LOOK_BACK)
    taken_back = {match["id"]: commit for commit in log if (match := REVERTED.search(commit.body)) is not None}
    prefix = f"{REVERT_BRANCH}{stage.name}/"
    waiting = {name.removeprefix(prefix) for name in repositories.heads(stage.repository) if name.startswith(prefix)}
    found: dict[str, Promotion] = {}
    for commit in log if taken_back or waiting else [commit for commit in log if commit.at >= young]:
        match = MERGED.search(commit.body)
        if match is None or REVERTED.search(commit.body) is not None:
            continue
        identity = match["id"]
        made = _promotion(config, stage, repositories, commit, services, identity)
        if made is not None:
            found.setdefault(made.name, _as_it_stands(made, taken_back.get(identity), young, waits=identity in waiting, now=now))
    return tuple(one for one in found.values() if one.state is not PromotionState.MERGED or (one.merged_at or now) >= young)


def _as_it_stands(merged: Promotion, revert: CommitInfo | None, young: datetime, *, waits: bool, now: datetime) -> Promotion:
    """The promotion in the state in which it must go on. One that waits for its revert's pull request has failed: taking it back again
    finds that pull request."""
    if revert is None:
        return merged if not waits else replace(merged, state=PromotionState.FAILED, failed_at=now, reason=LOST_REASON)
    back = replace(
        merged,
        state=PromotionState.REVERTING,
        rollout_since=revert.at,
        failed_at=revert.at,
        revert_commit=revert.sha,
        reason=LOST_REASON,
    )
    return back if revert.at >= young else replace(back, state=PromotionState.REVERTED, ended_at=revert.at)


def _promotion(
    config: Config, stage: Stage, repositories: Repositories, commit: CommitInfo, services: Mapping[str, ServiceView], identity: str
) -> Promotion | None:
    """The promotion as it was merged; None where the commit changed no version of a known service."""
    if not commit.parents:
        return None
    changes = _changes(stage, repositories, commit)
    moves = _moves(stage, services, changes)
    if not moves:
        return None
    number = NUMBER.search(commit.subject)
    name = _name(config, stage, commit, moves)
    return Promotion(
        id=identity,
        stage=stage.name,
        name=name,
        moves=moves,
        branch=branch_name(stage.name, name),
        state=PromotionState.MERGED,
        base=commit.parents[0],
        opened_at=commit.at,
        number=int(number["number"]) if number is not None else None,
        merged_at=commit.at,
        merge_commit=commit.sha,
        rollout_since=commit.at,
    )


def _name(config: Config, stage: Stage, commit: CommitInfo, moves: Sequence[Move]) -> str:
    """The name under which it was promoted: of a batch the commit's own title says it, else the stage's `batch` does."""
    titled = BATCH.match(commit.subject)
    if titled is not None and len(moves) > 1:
        return titled["name"]
    names = {group_name(config, stage.name, move.service) for move in moves}
    return names.pop() if len(names) == 1 else "all"


def _changes(stage: Stage, repositories: Repositories, commit: CommitInfo) -> list[_Change]:
    """The versions that differ between the commit and its first parent, paired by their place."""
    found = []
    for path in repositories.changed(stage.repository, commit.parents[0], commit.sha):
        inside = path.removeprefix(f"{stage.folder}/") if stage.folder else path
        if not is_candidate(inside) or (stage.folder and inside == path):
            continue
        before = _slots(repositories, stage.repository, commit.parents[0], path, inside)
        after = _slots(repositories, stage.repository, commit.sha, path, inside)
        found += [
            _Change(before=before[key], after=slot) for key, slot in after.items() if key in before and before[key].version != slot.version
        ]
    return found


def _slots(repositories: Repositories, repository: str, commit: str, path: str, inside: str) -> dict[str, Slot]:
    content = repositories.read(repository, commit, path)
    return {} if content is None else {slot.key: slot for slot in find_slots(inside, content).slots}


def _moves(stage: Stage, services: Mapping[str, ServiceView], changes: Sequence[_Change]) -> tuple[Move, ...]:
    owners = {artifact: (service, component) for service, view in services.items() for artifact, component in view.components.items()}
    by_service: dict[str, list[tuple[str, _Change]]] = {}
    for change in changes:
        if change.after.artifact in owners:
            service, component = owners[change.after.artifact]
            by_service.setdefault(service, []).append((component, change))
    return tuple(_move(stage, service, rows) for service, rows in sorted(by_service.items()))


def _move(stage: Stage, service: str, rows: Sequence[tuple[str, _Change]]) -> Move:
    return Move(
        service=service,
        old=Release(versions=tuple(sorted({component: change.before.version for component, change in rows}.items()))),
        new=Release(versions=tuple(sorted({component: change.after.version for component, change in rows}.items()))),
        edits=tuple(
            SlotEdit(
                path=stage.environment.path(change.after.path),
                address=dict(change.after.address),
                artifact=change.after.artifact,
                old=change.before.version,
                new=change.after.version,
                line=change.after.line,
                holds=change.after.holds,
            )
            for _, change in rows
        ),
    )
