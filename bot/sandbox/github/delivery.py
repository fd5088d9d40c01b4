"""One webhook delivery: what is sent where, with which signature, and what may be done to it on the way."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

USER_AGENT = "GitHub-Hookshot/sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where deliveries go: `hook_id` is the hook, `kind` integration (an App's) or repository."""

    hook_id: int
    url: str
    secret: str | None
    kind: str
    owner_id: int


@dataclass(slots=True, kw_only=True, eq=False)
class Delivery:
    """One attempt to deliver one event. `status` is `OK` or what went wrong; `silent` attempts are not shown in the API's log.

    `status_code` is 0 while nothing was answered.
    """

    id: int
    guid: str
    event: str
    action: str | None
    payload: dict[str, Any]
    body: bytes
    target: Target
    repository_id: int | None
    installation_id: int | None
    redelivery: bool = False
    delivered_at: datetime
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    silent: bool = False
    answer: str = ""

    def headers(self) -> dict[str, str]:
        """What GitHub sends with the body."""
        found = {
            "accept": "*/*",
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "x-github-delivery": self.guid,
            "x-github-event": self.event,
            "x-github-hook-id": str(self.target.hook_id),
            "x-github-hook-installation-target-id": str(self.target.owner_id),
            "x-github-hook-installation-target-type": self.target.kind,
        }
        if self.target.secret:
            key = self.target.secret.encode()
            found["x-hub-signature"] = "sha1=" + hmac.new(key, self.body, hashlib.sha1).hexdigest()
            found["x-hub-signature-256"] = "sha256=" + hmac.new(key, self.body, hashlib.sha256).hexdigest()
        return found


@dataclass(slots=True, kw_only=True)
class Tamper:
    """What happens to the next `times` deliveries that `matches`: lose, fail, duplicate, delay or reorder."""

    kind: str
    times: int
    matches: Callable[[Delivery], bool]
    seconds: float = 0.0
    new_guid: bool = False
    kept: list[Delivery] = field(default_factory=list)


def anything(delivery: Delivery) -> bool:
    """Matches every delivery."""
    return True
