"""The delivery history as the bot itself recorded it: each ended rollout of a promotion as an event of the reports.

Decides the event's identity and what a rollback took back; what follows from the events is decided by `lineage`.
"""

from collections.abc import Iterable

from bot.domain.action import SaveDeployment
from bot.domain.history import Deploy, RolloutKind, RolloutStatus


def event_of(saved: SaveDeployment, *, team: str | None = None) -> Deploy:
    """One recorded rollout. A rollback or revert takes back the failed rollout of the same promotion."""
    kind = RolloutKind(saved.kind)
    back = kind in (RolloutKind.ROLLBACK, RolloutKind.REVERT)
    return Deploy(
        id=_identity(saved, saved.kind, saved.status),
        service=saved.service,
        stage=saved.promotion.stage,
        at=saved.at,
        version=saved.version,
        status=RolloutStatus(saved.status),
        kind=kind,
        rolls_back=_identity(saved, RolloutKind.PROMOTION, RolloutStatus.FAILED.value) if back else None,
        team=team,
    )


def events_of(saved: Iterable[SaveDeployment]) -> list[Deploy]:
    """All of them, in the order given."""
    return [event_of(row) for row in saved]


def _identity(saved: SaveDeployment, kind: str, status: str) -> str:
    return f"{saved.promotion.id}:{saved.service}:{kind}:{status}"
