"""Events in the words of CDEvents 0.5 over CloudEvents 1.0, and the bot's own messages as CloudEvents beside them.

Decides which event a turn of a promotion is, and what stands in it; `schemas/cdevents` says the same as JSON Schema, a file for each type.
https://cdevents.dev/docs/spec,
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

from bot.domain.action import Notify, Severity
from bot.domain.directive import Directive, Order
from bot.domain.image import Version
from bot.domain.promotion import Move, Promotion, PromotionState
from bot.domain.release import compare_releases
from bot.messages.pulls import title

EVENT = "cdevent"
"""The field by which a message is an event: the name of its type, without prefix and version."""
SPEC = "0.5.1"
VERSIONS = {
    "change.created": "0.4.0",
    "change.merged": "0.3.0",
    "change.abandoned": "0.3.0",
    "environment.modified": "0.3.0",
    "service.upgraded": "0.3.0",
    "service.rolledback": "0.3.0",
    "incident.detected": "0.3.0",
    "incident.resolved": "0.3.0",
}
ABANDONED = (PromotionState.CLOSED, PromotionState.SUPERSEDED)
OURS = "io.promotion-bot.notice.v1"
LONGEST = 4_000


def events(promotion: Promotion) -> tuple[Notify, ...]:
    """What has happened to a promotion by now, each with a key of its own: told again, they are the same events."""
    found: list[Notify] = []
    place = {"repository": {"id": promotion.stage}}
    if promotion.number is not None:
        told = {**place, "description": title(promotion)[:LONGEST]}
        found.append(_event(promotion, "change.created", promotion.branch, promotion.opened_at, told))
    if promotion.merged_at is not None and promotion.merge_commit:
        found.append(_event(promotion, "change.merged", promotion.branch, promotion.merged_at, place))
    if promotion.state in ABANDONED and promotion.number is not None and promotion.ended_at is not None:
        found.append(_event(promotion, "change.abandoned", promotion.branch, promotion.ended_at, place))
    for move in promotion.moves:
        if promotion.state is PromotionState.HEALTHY and promotion.healthy_since is not None:
            way = "service.rolledback" if compare_releases(move.new, move.old) == -1 else "service.upgraded"
            found.append(_event(promotion, way, move.service, promotion.healthy_since, _deployed(promotion, move, move.new)))
        if promotion.failed_at is not None:
            content = {**_deployed(promotion, move, move.new), "service": {"id": move.service}, "description": promotion.reason[:LONGEST]}
            found.append(_event(promotion, "incident.detected", f"{promotion.id}/{move.service}", promotion.failed_at, content))
        if promotion.state is PromotionState.REVERTED and promotion.ended_at is not None:
            back = _deployed(promotion, move, move.old)
            found.append(_event(promotion, "service.rolledback", move.service, promotion.ended_at, back))
            over = {**back, "service": {"id": move.service}}
            found.append(_event(promotion, "incident.resolved", f"{promotion.id}/{move.service}", promotion.ended_at, over))
    return tuple(found)


def freezes(stage: str, orders: Iterable[Directive], now: datetime) -> tuple[Notify, ...]:
    """The freezes that people ordered for a stage, and their ends: CDEvents knows them as changes of an environment."""
    found: list[Notify] = []
    for order in orders:
        if order.order is not Order.FREEZE or order.stage not in ("", stage):
            continue
        over = order.withdrawn_at or (order.until if order.until is not None and order.until <= now else None)
        for turn, at in (("frozen", order.at), ("unfrozen", over)):
            if at is None:
                continue
            custom = {"change": turn, "service": order.service, "reason": order.reason[:LONGEST], "by": order.actor.login}
            custom |= {"until": _instant(order.until)} if order.until is not None else {}
            fields = {EVENT: "environment.modified", "subject": stage, "content": json.dumps({"name": stage})}
            found.append(
                Notify(
                    key=f"{order.key}:{stage}:{turn}",
                    thread=f"stage:{stage}",
                    severity=Severity.INFO,
                    stage=stage,
                    service=order.service,
                    text=f"environment.modified {stage}",
                    fields={**fields, "custom": json.dumps(custom), "at": at.astimezone(UTC).isoformat()},
                )
            )
    return tuple(found)


def _event(promotion: Promotion, name: str, subject: str, at: datetime, content: Mapping[str, object]) -> Notify:
    severity = Severity.CRITICAL if name == "incident.detected" else Severity.INFO
    return Notify(
        key=f"{promotion.id}:{name}:{subject}",
        thread=promotion.id,
        severity=severity,
        stage=promotion.stage,
        service=promotion.name,
        text=f"{name} {subject}",
        fields={EVENT: name, "subject": subject, "content": json.dumps(content), "at": at.astimezone(UTC).isoformat()},
    )


def _deployed(promotion: Promotion, move: Move, release: object) -> dict[str, object]:
    new = release is move.new
    edit = next((one for one in move.edits), None)
    version = (edit.new if new else edit.old) if edit is not None else (move.new if new else move.old).main
    return {"environment": {"id": promotion.stage}, "artifactId": purl(edit.artifact if edit is not None else move.service, version)}


def purl(image: str, version: Version) -> str:
    """The package URL of an image: `pkg:oci/payments@sha256%3A...?repository_url=ghcr.io/acme/payments&tag=1.9.0`."""
    name = image.rpartition("/")[2].lower()
    digest = f"@{quote(version.digest, safe='')}" if version.digest else ""
    tag = f"&tag={quote(version.tag, safe='')}" if version.tag else ""
    return f"pkg:oci/{quote(name, safe='')}{digest}?repository_url={quote(image.lower(), safe='/')}{tag}"


def cloudevent(notice: Notify, *, identity: str, source: str, at: datetime) -> dict[str, object]:
    """The message as a structured CloudEvent; an event of `events` with CDEvents' type and data, any other with our own."""
    name = notice.fields.get(EVENT, "")
    origin = (
        f"{source.rstrip('/')}/{quote(notice.stage, safe='')}" if "://" in source else f"/{quote(source, safe='')}/{quote(notice.stage)}"
    )
    stamp = _instant(datetime.fromisoformat(notice.fields["at"])) if name else _instant(at)
    base: dict[str, object] = {
        "specversion": "1.0",
        "id": identity,
        "source": origin,
        "time": stamp,
        "datacontenttype": "application/json",
    }
    if not name:
        data = {"severity": notice.severity.value, "stage": notice.stage, "service": notice.service, "text": notice.text}
        return {**base, "type": OURS, "subject": notice.thread, "data": {**data, "fields": dict(notice.fields)}}
    kind = f"dev.cdevents.{name}.{VERSIONS[name]}"
    context = {"specversion": SPEC, "id": identity, "source": origin, "type": kind, "timestamp": stamp, "chainId": _chain(notice.thread)}
    subject = {"id": notice.fields["subject"], "source": origin, "content": json.loads(notice.fields["content"])}
    custom = (
        {"customData": json.loads(notice.fields["custom"]), "customDataContentType": "application/json"}
        if "custom" in notice.fields
        else {}
    )
    return {**base, "type": kind, "subject": notice.fields["subject"], "data": {"context": context, "subject": subject, **custom}}


def _chain(thread: str) -> str:
    """All that belongs together has one chain; CDEvents wants a UUID of version 4, so it is one by its form, and no chance in it."""
    return str(UUID(bytes=hashlib.sha256(thread.encode()).digest()[:16], version=4))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
