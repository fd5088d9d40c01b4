"""How people are told outside of the forge: Slack, and whatever stands beside it.

Decides what may stand under `notifications`. Where a message goes is `planning.routing`'s word; secrets come from the environment.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from bot.config._model import SETTINGS, Account, Channel, StageName
from bot.gates._fields import HttpUrl, Listed, Zone

Severity = Literal["info", "warning", "critical"]
SEVERITIES = ("info", "warning", "critical")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKDAYS: tuple[Weekday, ...] = WEEKDAYS[:5]
SLACK_USER = r"^[UW][A-Z0-9]{6,}$"
SLACK_TEAM = r"^[TE][A-Z0-9]{6,}$"
CREDENTIAL = r"^[a-z0-9][a-z0-9_-]{0,62}$|^$"
MAIL = r"^[^@\s<>,;:\"]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$"


def _clock_time(value: Any) -> Any:
    """`22:00`; a number, which a reader of YAML 1.1 may have made of it, is refused."""
    try:
        found = time.fromisoformat(value) if isinstance(value, str) and len(value) == 5 else value
    except ValueError:
        found = None
    if not isinstance(found, time):
        raise ValueError('this is not a time of the day. Write hours and minutes in quotes, for example "09:00" or "22:30"')
    return found


ClockTime = Annotated[time, BeforeValidator(_clock_time, json_schema_input_type=str)]
MailAddress = Annotated[str, StringConstraints(pattern=MAIL)]
Credential = Annotated[str, StringConstraints(pattern=CREDENTIAL)]


class QuietHours(BaseModel):
    """When people are left in peace: what is less serious than `unless` waits until the end."""

    model_config = SETTINGS

    begin: ClockTime
    """From this time of the day, `22:00`."""
    end: ClockTime
    """Until this time; earlier than `begin` means the next day."""
    zone: Zone = "UTC"
    """The time zone of both."""
    weekends: bool = False
    """Saturdays and Sundays are quiet as a whole."""
    unless: Literal["warning", "critical"] = "critical"
    """What is at least this serious is told at once."""

    def until(self, severity: str, now: datetime) -> datetime | None:
        """When a message of this seriousness may be sent: the end of the quiet hours that `now` is in, None for at once."""
        if SEVERITIES.index(severity) >= SEVERITIES.index(self.unless):
            return None
        zone = ZoneInfo(self.zone)
        at = now.astimezone(zone)
        while (found := self._end(at)) is not None:
            at = found
        return at.astimezone(UTC) if at > now else None

    def _end(self, at: datetime) -> datetime | None:
        """The end of the one quiet span that holds this local time."""
        midnight = datetime.combine(at.date() + timedelta(days=1), time(), tzinfo=at.tzinfo)
        if self.weekends and at.weekday() >= 5:
            return midnight
        clock = at.timetz().replace(tzinfo=None)
        if self.begin < self.end:
            return datetime.combine(at.date(), self.end, tzinfo=at.tzinfo) if self.begin <= clock < self.end else None
        if clock >= self.begin:
            return datetime.combine(at.date() + timedelta(days=1), self.end, tzinfo=at.tzinfo)
        return datetime.combine(at.date(), self.end, tzinfo=at.tzinfo) if clock < self.end else None

    @model_validator(mode="after")
    def _two_times(self) -> "QuietHours":
        if self.begin == self.end:
            raise ValueError("begin and end are the same time of the day, which says nothing. Take `quiet` out, or change one of them")
        return self


class Digest(BaseModel):
    """One message a day: what waits, what failed, what was delivered since the one before."""

    model_config = SETTINGS

    at: ClockTime
    """At this time of the day, `09:00`."""
    zone: Zone = "UTC"
    """The time zone of it."""
    days: Annotated[tuple[Weekday, ...], Listed()] = WORKDAYS
    """On these days."""

    def last_due(self, now: datetime) -> datetime | None:
        """The last instant up to `now`, within a day, at which a digest was due; None when there was none."""
        zone = ZoneInfo(self.zone)
        local = now.astimezone(zone)
        for day in (local.date(), local.date() - timedelta(days=1)):
            due = datetime.combine(day, self.at, tzinfo=zone)
            if due <= now and now - due < timedelta(days=1) and WEEKDAYS[day.weekday()] in self.days:
                return due
        return None


class Slack(BaseModel):
    """Where Slack messages go, and who may give commands there. Tokens come from the environment."""

    model_config = SETTINGS

    channel: Channel
    """The channel (name or id) for everything that no other rule sends elsewhere."""
    stages: Mapping[StageName, Channel] = {}
    """Per stage."""
    severities: Mapping[Literal["warning", "critical"], Channel] = {}
    """Per seriousness, beside the usual channel: a thread of its own there tells the whole incident, failure to recovery."""
    at_least: Severity = "info"
    """Tell only what is at least this serious."""
    people: Mapping[Annotated[str, Field(pattern=SLACK_USER)], Account] = {}
    """Slack user id -> account of the forge: whose commands and buttons count as whose. Others use `/promote link`."""
    workspaces: Annotated[tuple[Annotated[str, Field(pattern=SLACK_TEAM)], ...], Listed()] = ()
    """Other workspaces (team ids) whose members may give commands too; guests never may."""
    quiet: QuietHours | None = None
    """Hours at which only what is serious is told."""
    digest: Digest | None = None
    """One message a day to `channel`."""
    api_url: HttpUrl = "https://slack.com/api/"
    """Slack's address."""


class Audience(BaseModel):
    """What one receiver is told."""

    model_config = SETTINGS

    at_least: Severity = "info"
    """Only what is at least this serious."""
    stages: Annotated[tuple[StageName, ...], Listed()] = ()
    """Only these stages; without it, all."""


class Receiver(Audience):
    """A receiver of your own: each message as one signed POST (https://www.standardwebhooks.com)."""

    url: HttpUrl
    """Its address."""
    credential: Credential = ""
    """Name of the credential that signs (`PROMOTION_BOT_CREDENTIALS__<NAME>`); nothing is sent unsigned."""
    format: Literal["json", "cloudevents"] = "json"
    """`json`: the message as it is. `cloudevents`: CloudEvents 1.0, with CDEvents for what happened to a service."""
    allow_private: bool = False
    """May its address be a private one (10/8, 192.168/16, fc00::/7 and the like)?"""

    @model_validator(mode="after")
    def _signed(self) -> "Receiver":
        if not self.credential:
            raise ValueError("name the credential that signs: `credential: NAME`. Nothing is sent unsigned")
        return self


class Mail(Audience):
    """E-mail by SMTP."""

    host: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$")
    """The mail server."""
    port: int = Field(default=587, ge=1, le=65535)
    """Its port."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is kept secret. `none` sends no password."""
    credential: Credential = ""
    """Name of the credential to log in with, `user:password`; without it, nobody logs in."""
    sender: MailAddress
    """From whom."""
    to: Annotated[tuple[MailAddress, ...], Listed()] = Field(min_length=1)
    """To whom."""


class Teams(Audience):
    """A channel of Microsoft Teams, by the address of its workflow \"When a Teams webhook request is received\"."""

    address: Credential = Field(min_length=1)
    """Name of the credential that holds the workflow's address: the address itself is the secret."""
    allow_private: bool = False
    """May the address be a private one, and without TLS? For a relay of your own."""


class Notifications(BaseModel):
    """How people are told outside of the forge."""

    model_config = SETTINGS

    slack: Slack | None = None
    """Slack."""
    webhooks: Mapping[StageName, Receiver] = {}
    """Receivers of your own, by a name of your choice."""
    mail: Mapping[StageName, Mail] = {}
    """E-mail, by a name of your choice."""
    teams: Mapping[StageName, Teams] = {}
    """Channels of Microsoft Teams, by a name of your choice."""
