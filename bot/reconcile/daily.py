"""Keeps the daily digest for sending: once a day, whichever process comes first.

Decides that it is due, by the configuration's time; its words are `messages.daily`'s.
"""

from datetime import datetime, timedelta

from bot.config.schema import Config
from bot.domain.action import Notify, Severity
from bot.messages.daily import daily
from bot.ports import History, Outbox


def keep_digest(config: Config, history: History, outbox: Outbox, *, now: datetime) -> Notify | None:
    """The digest, when it is due and nobody has kept it yet; else None."""
    slack = config.notifications.slack
    due = slack.digest.last_due(now) if slack is not None and slack.digest is not None else None
    if due is None:
        return None
    promotions = [one for stage in config.pipeline.stages for one in history.promotions(stage.name)]
    verdicts = {one.id: history.verdicts(one.id) for one in promotions if one.state.before_merge}
    key = f"digest:{due.isoformat()}"
    notice = Notify(
        key=key,
        thread=key,
        severity=Severity.INFO,
        stage="all stages",
        service="Daily digest",
        text=daily(promotions, verdicts, since=due - timedelta(days=1), now=now),
        fields={},
    )
    return notice if outbox.put(notice, now=now) else None
