"""Finds promotions again that were merged, or being taken back, when the database was lost: by the trailers in the stage's branch.

So their rollout is still watched, and a failed one still taken back. Only what is young enough to be rolling out is looked for;
what it replaced is read from the commit itself. Pull requests that are still open are found again elsewhere (`planning/adopt`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.config.schema import Stage
from bot.domain.facts import ServiceView
from bot.domain.promotion import Move, Promotion, PromotionState, SlotEdit, branch_name
from bot.domain.release import Release
from bot.domain.slot import Slot
from bot.manifests import find_slots, is_candidate
from bot.ports import CommitInfo, Repositories

MERGED = re.compile(r"^Promotion-Id: (?P<id>[0-9a-f]{16})$", re.MULTILINE)
REVERTED = re.compile(r"^Reverts-Promotion: (?P<id>[0-9a-f]{16})$", re.MULTILINE)
NUMBER = re.compile(r"\(#(?P<number>\d{1,9})\)\s*$")
GENEROUS = timedelta(minutes=30)
LOOK_BACK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One version that a commit changed."""

    before: Slot
    after: Slot


def lost_in_flight(
    stage: Stage, repositories: Repositories, head: str, services: Mapping[str, ServiceView], *, now: datetime
) -> tuple[Promotion, ...]:
    """The newest merged promotion of each service that may still roll out, as far as the branch's log tells."""
    young = now - (stage.rollout.timeout + stage.rollout.bake + stage.rollout.grace + GENEROUS)
    log = [commit for commit in repositories.log(stage.repository, after=None, until=head, limit=LOOK_BACK) if commit.at >= young]
    taken_back = {match["id"]: commit for commit in log if (match := REVERTED.search(commit.body)) is not None}
    found: dict[str, Promotion] = {}
    for commit in log:
        match = MERGED.search(commit.body)
        if match is None or REVERTED.search(commit.body) is not None:
            continue
        promotion = _promotion(stage, repositories, commit, services, match["id"], taken_back.get(match["id"]))
        if promotion is not None:
            found.setdefault(promotion.name, promotion)
    return tuple(found.values())


def _promotion(
    stage: Stage,
    repositories: Repositories,
    commit: CommitInfo,
    services: Mapping[str, ServiceView],
    identity: str,
    revert: CommitInfo | None,
) -> Promotion | None:
    if not commit.parents:
        return None
    changes = _changes(stage, repositories, commit)
    moves = _moves(stage, services, changes)
    if not moves:
        return None
    number = NUMBER.search(commit.subject)
    name = moves[0].service if len(moves) == 1 else "all"
    return Promotion(
        id=identity,
        stage=stage.name,
        name=name,
        moves=moves,
        branch=branch_name(stage.name, name),
        state=PromotionState.MERGED if revert is None else PromotionState.REVERTING,
        base=commit.parents[0],
        opened_at=commit.at,
        number=int(number["number"]) if number is not None else None,
        merged_at=commit.at,
        merge_commit=commit.sha,
        rollout_since=commit.at if revert is None else revert.at,
        failed_at=revert.at if revert is not None else None,
        revert_commit=revert.sha if revert is not None else None,
        reason="" if revert is None else "its rollout failed (the reason was lost with the database)",
    )


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
