"""How the bot is, as far as its database and its forge adapter know: for `ping`."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.adapters.store import inbox
from bot.adapters.store.replicas import Replicas
from bot.app.parts import Parts
from bot.domain.duration import spell
from bot.messages.words import instant
from bot.reconcile.engine import Timing


def pulse(parts: Parts) -> Mapping[str, str]:
    """Processes that are alive, the last event of the forge, and what is left of its rate limits. No call of the forge is spent."""
    with parts.database.read() as session:
        last = inbox.newest(session)
    left = parts.forge.budget.remaining()
    return {
        "processes": str(Replicas(parts.database).states(dead_after=Timing().dead_after).get("alive", 0)),
        "last event": _ago(last, parts.clock()),
        "rate limit left": ", ".join(f"{name} {rest}" for name, rest in sorted(left.items())) or "not told yet",
    }


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "none yet"
    return f"{instant(at)}, {spell(timedelta(seconds=max(0, round((now - at).total_seconds()))))} ago"
