"""The primary rate limits: so many points an hour for each caller and resource, as headers and as an answer.

Decides when a caller has used up its hour. Secondary limits are not computed; they are injected (see `faults`).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True)
class Window:
    """The running hour of one caller."""

    resets_at: datetime
    used: int = 0


@dataclass(slots=True)
class Limits:
    """Points per hour by resource (`core`, `graphql`), and who has used how many."""

    core: int = 5000
    graphql: int = 5000
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)

    def window(self, caller: str, resource: str, now: datetime) -> Window:
        """The running hour, or a fresh one."""
        found = self.windows.get((caller, resource))
        if found is None or found.resets_at <= now:
            found = self.windows[(caller, resource)] = Window(resets_at=now.replace(microsecond=0) + timedelta(hours=1))
        return found

    def limit(self, resource: str) -> int:
        """Points per hour."""
        return self.graphql if resource == "graphql" else self.core

    def exhausted(self, caller: str, resource: str, now: datetime) -> bool:
        """Whether nothing is left of this hour."""
        return self.window(caller, resource, now).used >= self.limit(resource)

    def spend(self, caller: str, resource: str, now: datetime, points: int = 1) -> None:
        """Count a request."""
        self.window(caller, resource, now).used += points

    def describe(self, caller: str, resource: str, now: datetime) -> dict[str, int]:
        """`rate-limit`."""
        window, limit = self.window(caller, resource, now), self.limit(resource)
        return {
            "limit": limit,
            "remaining": max(0, limit - window.used),
            "reset": int(window.resets_at.timestamp()),
            "used": min(window.used, limit),
        }

    def headers(self, caller: str, resource: str, now: datetime) -> dict[str, str]:
        """The `x-ratelimit-*` headers."""
        return {f"x-ratelimit-{name}": str(value) for name, value in self.describe(caller, resource, now).items()} | {
            "x-ratelimit-resource": resource
        }
