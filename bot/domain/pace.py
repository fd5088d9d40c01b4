"""How long to wait until something more fits into windows that may hold so much each. Pure; seconds of any one clock."""

from collections.abc import Sequence

Window = tuple[float, int]
"""Its length in seconds, and how much it may hold at most."""


def wait_for(sent: Sequence[float], now: float, weight: int, windows: Sequence[Window]) -> float:
    """Seconds until `weight` more may be sent, 0 when now. `sent` are the instants of what was, oldest first; what is heavier than a
    whole window waits until it is empty."""
    return max((_wait(sent, now, weight, span, limit) for span, limit in windows), default=0.0)


def _wait(sent: Sequence[float], now: float, weight: int, span: float, limit: int) -> float:
    inside = [at for at in sent if at > now - span]
    too_many = len(inside) + min(weight, limit) - limit
    return 0.0 if too_many <= 0 else inside[too_many - 1] + span - now
