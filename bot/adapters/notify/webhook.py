"""Tells a receiver of your own: each message as one signed POST, as plain JSON or as a CloudEvent.

Decides the JSON's shape; what a CloudEvent holds is `messages.cloudevents`' word, how it is sent `posting`'s.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from bot.adapters.notify.audience import wants
from bot.adapters.notify.posting import identity, post, signed
from bot.adapters.notify.shelf import Means
from bot.config.notifications import Receiver
from bot.domain.action import Notify
from bot.messages.cloudevents import EVENT, cloudevent


class WebhookTeller:
    """One receiver."""

    def __init__(self, name: str, webhook: Receiver, means: Means) -> None:
        self._name = f"the webhook {name}"
        self._webhook = webhook
        self._means = means

    def wants(self, notice: Notify) -> bool:
        """What happened to a service is only for those who take events; messages are for all."""
        return wants(self._webhook, notice) and (EVENT not in notice.fields or self._webhook.format == "cloudevents")

    def tell(self, notice: Notify, *, now: datetime) -> None:
        """One try."""
        secret = self._means.credentials.named(self._webhook.credential)
        known = identity(notice.key)
        if self._webhook.format == "cloudevents":
            content = cloudevent(notice, identity=known, source=self._means.source, at=now)
            kind = "application/cloudevents+json; charset=utf-8"
        else:
            content, kind = _plain(notice, known, now), "application/json"
        body = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
        headers = {"content-type": kind, **signed(body, secret, identity=known, now=now)}
        post(self._means.http, self._webhook.url, body, headers, private=self._webhook.allow_private, name=self._name)


def _plain(notice: Notify, known: str, at: datetime) -> dict[str, object]:
    return {
        "id": known,
        "type": "notice",
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "severity": notice.severity.value,
        "stage": notice.stage,
        "service": notice.service,
        "thread": notice.thread,
        "text": notice.text,
        "fields": dict(notice.fields),
    }


def build(means: Means) -> Mapping[str, WebhookTeller]:
    """Those of the configuration."""
    return {name: WebhookTeller(name, webhook, means) for name, webhook in means.notifications.webhooks.items()}
