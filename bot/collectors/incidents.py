"""Reads what others tell of incidents: our own API, Alertmanager, PagerDuty, labels on issues.

Decides which incident a message is about, when it began and ended, and of which service and stage it is. An incident is never given
to a rollout by nearness in time: only where it names the version or the rollout itself.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.config.schema import Config
from bot.domain.incident import Incident
from bot.domain.instants import parse_instant

FIELDS = frozenset({"id", "stage", "service", "version", "deploy", "at", "recovered_at", "cause", "url"})
LONGEST = 500
MOST_ALERTS = 500


class BadIncident(ValueError):
    """The message is not understood; the text says which field and why."""


def from_api(told: Mapping[str, Any], config: Config, *, now: datetime) -> Incident:
    """`{"id", "stage"?, "service"?, "version"?, "deploy"?, "at"?, "recovered_at"?, "cause"?, "url"?}`; `at` is now where it is missing."""
    unknown = sorted(told.keys() - FIELDS)
    if unknown:
        raise BadIncident(f"there is no field {unknown[0][:100]!r}; there are {', '.join(sorted(FIELDS))}")
    name = _text(told, "id")
    if not name:
        raise BadIncident("`id` is missing: the same incident is told again under the same id")
    return _checked(
        Incident(
            id=f"api:{name}",
            source="api",
            at=_instant(told, "at") or now,
            recovered_at=_instant(told, "recovered_at"),
            cause=_text(told, "cause"),
            stage=stage_of(_text(told, "stage"), config, strict=True),
            service=_service(_text(told, "service"), config),
            version=_text(told, "version"),
            deploy=_text(told, "deploy") or None,
            url=_text(told, "url"),
        ),
        now,
    )


def from_alertmanager(told: Mapping[str, Any], config: Config, *, now: datetime) -> list[Incident]:
    """The alerts of one notification (webhook version 4). Labels `stage`, `service` and `version` say whose they are.

    https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    """
    alerts = told.get("alerts")
    if not isinstance(alerts, list) or len(alerts) > MOST_ALERTS:
        raise BadIncident(f"`alerts` must be a list of at most {MOST_ALERTS} alerts")
    found = []
    for alert in alerts:
        if not isinstance(alert, dict):
            raise BadIncident("an alert is an object")
        labels, notes = _object(alert, "labels"), _object(alert, "annotations")
        began = _instant(alert, "startsAt")
        if began is None or alert.get("status") not in ("firing", "resolved"):
            raise BadIncident("an alert has `startsAt` and the `status` firing or resolved")
        cause = _text(notes, "summary") or _text(notes, "description") or _text(labels, "alertname")
        one = Incident(
            id=f"alertmanager:{_text(alert, 'fingerprint')}:{began:%Y%m%dT%H%M%SZ}",
            source="alertmanager",
            at=began,
            recovered_at=_instant(alert, "endsAt") if alert["status"] == "resolved" else None,
            cause=cause,
            stage=stage_of(_text(labels, "stage"), config),
            service=_service(_text(labels, "service"), config),
            version=_text(labels, "version"),
            url=_text(alert, "generatorURL"),
        )
        found.append(_checked(one, now))
    return found


def from_pagerduty(told: Mapping[str, Any], config: Config, *, now: datetime) -> Incident | None:
    """One event of a V3 webhook; None for events that say nothing of a beginning or an end.

    https://developer.pagerduty.com/docs/webhooks-overview
    """
    event = _object(told, "event")
    kind, data = _text(event, "event_type"), _object(event, "data")
    if kind not in ("incident.triggered", "incident.resolved", "incident.reopened", "incident.acknowledged"):
        return None
    service = _object(data, "service")
    occurred = _instant(event, "occurred_at") or now
    name = _text(data, "id")
    if not name:
        raise BadIncident("`event.data.id` is missing")
    known = next((text for text in (_text(service, "id"), _text(service, "summary")) if text in config.incidents.services), None)
    one = Incident(
        id=f"pagerduty:{name}",
        source="pagerduty",
        at=_instant(data, "created_at") or occurred,
        recovered_at=occurred if kind == "incident.resolved" else None,
        reopened_at=occurred if kind == "incident.reopened" else None,
        cause=_text(data, "title"),
        stage=stage_of("", config),
        service=_service(known or _text(service, "summary"), config),
        url=_text(data, "html_url"),
    )
    return _checked(one, now)


def from_issue(told: Mapping[str, Any], config: Config, *, now: datetime) -> Incident | None:
    """An `issues` event of GitHub, where the issue has the configured label, or has just lost it; None for every other."""
    wanted, issue = config.incidents.label, _object(told, "issue")
    action, labels = _text(told, "action"), _labels(issue)
    lost = action == "unlabeled" and _text(_object(told, "label"), "name") == wanted
    if not wanted or (wanted not in labels and not lost):
        return None
    number, repository = issue.get("number"), _text(_object(told, "repository"), "full_name")
    began = _instant(issue, "created_at")
    if not isinstance(number, int) or not repository or began is None:
        raise BadIncident("an issue has a number, a repository and `created_at`")
    marks = dict(reversed([(kind, value) for kind, colon, value in (label.partition(":") for label in labels) if colon]))
    one = Incident(
        id=f"issue:{repository}#{number}",
        source="issue",
        at=began,
        recovered_at=_instant(issue, "closed_at") if action == "closed" else None,
        reopened_at=(_instant(issue, "updated_at") or now) if action == "reopened" else None,
        withdrawn=lost or action in ("deleted", "transferred"),
        cause=_text(issue, "title"),
        stage=stage_of(marks.get("stage", "").strip(), config),
        service=_service(marks.get("service", "").strip(), config),
        version=marks.get("version", "").strip(),
        url=_text(issue, "html_url"),
    )
    return _checked(one, now)


def stage_of(name: str, config: Config, *, strict: bool = False) -> str:
    """The stage of this name; the configured or only last one where none is named; empty where that is not known.

    `strict` refuses a name that is no stage's: whoever writes to our own API can mend it.
    """
    names = config.order()
    if name in names:
        return name
    if name and strict:
        raise BadIncident(f"`stage` {name[:100]!r} is not a stage; there are {', '.join(names)}")
    if name:
        return ""
    last = [stage for stage in names if not config.downstreams(stage)]
    return config.incidents.stage or (last[0] if len(last) == 1 else "")


def _service(name: str, config: Config) -> str:
    return config.incidents.services.get(name, name)


def _checked(incident: Incident, now: datetime) -> Incident:
    """An incident does not begin in the future, and does not end before it began."""
    ends = incident.recovered_at
    if incident.at > now.astimezone(UTC) and (incident.at - now).total_seconds() > 3600:
        raise BadIncident("it begins more than an hour from now; is a clock wrong?")
    if ends is not None and ends < incident.at:
        raise BadIncident("it ends before it began")
    return incident


def _labels(issue: Mapping[str, Any]) -> Sequence[str]:
    listed = issue.get("labels")
    return [_text(label, "name") for label in listed if isinstance(label, dict)] if isinstance(listed, list) else []


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _text(told: Mapping[str, Any], name: str) -> str:
    """A text, cut to what is kept; nothing for null or an absent field."""
    found = told.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise BadIncident(f"`{name}` must be a text")
    return "".join(sign for sign in found if sign.isprintable() or sign == " ")[:LONGEST]


def _instant(told: Mapping[str, Any], name: str) -> datetime | None:
    found = told.get(name)
    if found is None or found == "":
        return None
    try:
        return parse_instant(found)
    except ValueError as error:
        raise BadIncident(f"`{name}`: {error}") from None
