"""Where incidents come from, which delivery reports are sent when, and where changes of this configuration are proposed.

Decides what may stand under `incidents`, `reports` and `simulation`. What an incident means is left to the reports, secrets to the
environment.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.config._model import SETTINGS, Branch, Folder, RepositoryName, StageName
from bot.config.notifications import ClockTime, Credential, Weekday
from bot.gates._fields import Listed, PositiveDuration, Zone

Period = Literal["weekly", "monthly"]


class Incidents(BaseModel):
    """What counts as a failed deployment besides failed rollouts: incidents that others tell of."""

    model_config = SETTINGS

    credential: Credential = ""
    """Name of the credential that `POST /api/v1/incidents` and Alertmanager show as bearer token; without it both are closed."""
    pagerduty: Credential = ""
    """Name of the credential that holds the secret of PagerDuty's webhook (V3); without it the route is closed."""
    services: Mapping[str, str] = {}
    """What others call a service (PagerDuty's id or name, an alert's `service` label) -> our name for it."""
    label: str = Field(default="", max_length=50)
    """A label that makes an issue an incident, told by the same GitHub webhook; its service and stage are the labels `service:…` and
    `stage:…`, the version that brought it `version:…`."""
    stage: StageName | None = None
    """The stage that is meant where nothing says which; without it the last stage, where there is only one."""


class Reports(BaseModel):
    """Delivery reports that come by themselves: to each team that owns services, or to everybody where there are no teams."""

    model_config = SETTINGS

    periods: Annotated[tuple[Period, ...], Listed()] = ()
    """`weekly` (ISO weeks), `monthly`, or both. Without any, nothing is sent."""
    stage: StageName | None = None
    """The stage whose deliveries are counted; without it the last stage of the pipeline."""
    zone: Zone = "UTC"
    """The time zone of days, weeks and months."""
    day: Weekday = "mon"
    """The weekly report is sent on this day, for the ISO week that ended before it; the monthly one on the first of the month."""
    at: ClockTime = Field(default="09:00", validate_default=True)
    """At this time of the day."""
    issues: RepositoryName | None = None
    """Each report becomes an issue of this repository too, and the message in the chat leads to it."""
    folder: str = ""
    """Write each report into this folder too, as Markdown and as an HTML page (print it for a PDF)."""


class Simulation(BaseModel):
    """Where this configuration is kept, so that pull requests that change it are told what it would have done."""

    model_config = SETTINGS

    repository: RepositoryName | None = None
    """Pull requests here that change `file` get a comment: the recorded history, replayed under the proposed gates."""
    branch: Branch = "main"
    """Pull requests onto this branch are looked at."""
    file: Annotated[Folder, Field(min_length=1)] = "config.yaml"
    """The path of this configuration in the repository."""
    since: PositiveDuration = Field(default="90d", validate_default=True)
    """How much of the history is replayed."""
