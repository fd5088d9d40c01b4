"""The rollouts that the bot itself recorded, as events of the reports.

Decides the event's identity and kind, and what a rollback took back; what follows from the events is decided by `lineage`.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from bot.domain.action import SaveDeployment
from bot.domain.carried import Carried
from bot.domain.history import Deploy, RolloutKind, RolloutStatus
from bot.domain.release import compare_releases

NOTHING = Carried()


def deploy_id(saved: SaveDeployment) -> str:
    """The identity of a recorded rollout."""
    return _identity(saved, saved.kind, saved.status)


def event_of(
    saved: SaveDeployment, *, known: Iterable[str] = (), carried: Mapping[str, Carried] | None = None, team: str | None = None
) -> Deploy:
    """One recorded rollout. A rollback takes back the rollout of the same promotion: the failed one, or the healthy one if only that
    is among the `known` ids. A promotion to an older version is a rollback too, whoever asked for it."""
    back = saved.kind in (RolloutKind.ROLLBACK, RolloutKind.REVERT)
    forth = RolloutKind.HOTFIX if saved.promotion.hotfix else RolloutKind.PROMOTION
    names = [_identity(saved, forth, status) for status in (RolloutStatus.FAILED, RolloutStatus.SUCCESS)]
    kind = RolloutKind.ROLLBACK if saved.kind == RolloutKind.PROMOTION and _older(saved) else RolloutKind(saved.kind)
    brought = (carried or {}).get(deploy_id(saved), NOTHING)
    forward = saved.status == RolloutStatus.SUCCESS and kind not in (RolloutKind.ROLLBACK, RolloutKind.REDEPLOY)
    return Deploy(
        id=deploy_id(saved),
        service=saved.service,
        stage=saved.promotion.stage,
        at=saved.at,
        version=plain(saved.version),
        status=RolloutStatus(saved.status),
        kind=kind,
        commits=brought.commits,
        prs=brought.prs,
        reverts_prs=brought.reverts_prs if forward else (),
        rolls_back=next((name for name in names if name in known), names[0]) if back else None,
        team=team,
    )


def events_of(
    saved: Iterable[SaveDeployment], *, carried: Mapping[str, Carried] | None = None, teams: Mapping[str, str] | None = None
) -> list[Deploy]:
    """All of them, in the order given. `teams` maps services to their owners."""
    rows = list(saved)
    told = partial(event_of, known=frozenset(map(deploy_id, rows)), carried=carried)
    return [told(row, team=(teams or {}).get(row.service)) for row in rows]


def plain(version: str) -> str:
    """A release's text as people write it: without the component's name where it has only one."""
    name, equals, text = version.partition("=")
    return text if equals and "=" not in text and name.isdecimal() else version


def _older(saved: SaveDeployment) -> bool:
    """The promotion moved the service to a version that is older by the versions' own order."""
    move = next((move for move in saved.promotion.moves if move.service == saved.service), None)
    return move is not None and compare_releases(move.new, move.old) == -1


def _identity(saved: SaveDeployment, kind: str, status: str) -> str:
    return f"{saved.promotion.id}:{saved.service}:{kind}:{status}"
