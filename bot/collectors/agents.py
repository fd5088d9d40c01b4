"""Which commit the stage's GitOps agent says it took: a promotion that it does not hold yet is not rolled out, however healthy it looks.

Reads what the watched objects of Argo CD and Flux say; asks git whether that commit is the wanted one or comes after it.
"""

import re
from collections.abc import Sequence

from bot.config.schema import Stage
from bot.domain.errors import BotError
from bot.domain.promotion import Promotion, PromotionState
from bot.ports import Clusters, Repositories

COMMIT = re.compile(r"\b[0-9a-f]{40}\b")


def not_taken(stage: Stage, promotions: Sequence[Promotion], clusters: Clusters, repositories: Repositories) -> dict[str, str]:
    """Promotion id -> the commit at which the agent stands, for promotions whose commit no agent object of this repository holds."""
    if stage.cluster is None or stage.cluster.agent == "none":
        return {}
    revisions = {
        match[0]
        for workload in clusters.snapshot(stage.name).workloads
        if workload.revision is not None and (match := COMMIT.search(workload.revision)) is not None
    }
    found = {}
    for promotion in promotions:
        wanted = promotion.merge_commit if promotion.state is PromotionState.MERGED else promotion.revert_commit
        if promotion.state not in (PromotionState.MERGED, PromotionState.REVERTING) or wanted is None:
            continue
        held = {revision: _holds(repositories, stage.repository, wanted, revision) for revision in sorted(revisions)}
        known = {revision: holds for revision, holds in held.items() if holds is not None}
        if known and not any(known.values()):
            found[promotion.id] = next(iter(known))
    return found


def _holds(repositories: Repositories, repository: str, wanted: str, revision: str) -> bool | None:
    """Whether `revision` is `wanted` or comes after it; None where it is no commit of this repository."""
    try:
        return repositories.is_ancestor(repository, wanted, revision)
    except BotError:
        return None
