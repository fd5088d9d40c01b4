"""When the failure of one change was over, and by what.

Decides from the marks on the change, their recoveries, the rollouts that ended it, and the next success after a failed attempt.
Who ended it is found by `blame`; how long it took is counted by `dora`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.history import Deploy, Failure
from bot.reporting.roles import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The end of a failure: the instant (UTC) and the id of the rollout or of the failure mark whose recovery ended it."""

    at: datetime
    by: str


def recovery_of(
    *,
    marks: Sequence[Failure],
    closed: Mapping[str, datetime],
    ends: Sequence[Deploy],
    next_success: Rollout | None,
    went_live: bool,
) -> Recovered | None:
    """The recovery of a failed change, None while it is open.

    `closed` gives the last recovery of each mark; `ends` are the rollbacks, fixes and reverts that ended the failure; `next_success`
    is the first successful rollout after the last failed attempt (None: no attempt failed, or no success followed), which is the
    change's own where it `went_live`. The earliest end counts; of several marks the last one to be closed.

    A change that went live on a retry and was taken back or marked later has failed anew: its own success does not end that.
    """
    candidates = [Recovered(at=end.at, by=end.id) for end in ends]
    by_hand = _last_closed(marks, closed)
    if by_hand is not None:
        candidates.append(by_hand)
    elif next_success is not None and not (went_live and ends):
        success = Recovered(at=next_success.deploy.at, by=next_success.deploy.id)
        reopened = [mark for mark in marks if went_live and mark.at > success.at]
        if all(mark.id in closed for mark in reopened):
            explicit = [Recovered(at=closed[mark.id], by=mark.id) for mark in marks if mark.id in closed]
            candidates.append(max([success, *explicit], key=lambda found: (found.at, found.by)))
    return min(candidates, key=lambda found: (found.at, found.by), default=None)


def _last_closed(marks: Sequence[Failure], closed: Mapping[str, datetime]) -> Recovered | None:
    """The recovery that closed the last of the marks; None where there is no mark, or one is open."""
    if not marks or not all(mark.id in closed for mark in marks):
        return None
    return max((Recovered(at=closed[mark.id], by=mark.id) for mark in marks), key=lambda found: (found.at, found.by))
