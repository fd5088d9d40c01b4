"""Something that went wrong in a stage as somebody outside told us: an API call, Alertmanager, PagerDuty, a label on an issue.

Says what was told and to which rollout it is linked by identity; whether a change failed by it is decided by the reports.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident. `id` begins with its source (`api:`, `alertmanager:`, `pagerduty:`, `issue:`) and is the same each time it is told.

    `at` is when it began, `recovered_at` when it was over (None: it is not), `reopened_at` when it began again, all in UTC. One that
    was `withdrawn` was no incident after all. `deploy` is the id of the rollout that
    brought it; where it is None, `version` may name what was live, and the incident is linked to the rollout that brought that.
    """

    id: str
    source: str
    at: datetime
    cause: str = ""
    stage: str = ""
    service: str = ""
    version: str = ""
    deploy: str | None = None
    recovered_at: datetime | None = None
    reopened_at: datetime | None = None
    withdrawn: bool = False
    url: str = ""
