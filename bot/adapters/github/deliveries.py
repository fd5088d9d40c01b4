"""Webhooks that never arrived: ask GitHub for the log of our App's deliveries, and for another try of those that were not taken.

GitHub repeats nothing by itself, and keeps its log for three days
(https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries). A repeat comes with the same delivery id, so
that the inbox knows it again. It leaves to others when this is asked; nothing depends on it: every stage is looked at periodically.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.adapters.github.auth import AppInstallation
from bot.adapters.github.reading import understood
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import MOST_PAGES
from bot.domain.errors import UserError
from bot.domain.instants import parse_instant

OVERLAP = timedelta(minutes=5)
"""A delivery appears in the log when its answer came, or failed to."""
AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """`again` was asked for, by delivery id, oldest first. `since` is from when to look next time, by GitHub's own clock: ours may be
    wrong, and what was too much for this time comes then."""

    again: tuple[str, ...]
    since: datetime


def redeliver_missed(app: AppInstallation, *, since: datetime, limit: int = AT_ONCE) -> Missed:
    """Ask for another try of every delivery since then of which no try was answered with a 2xx.

    One REST call per hundred deliveries and one per repeat, at most `limit` of these; all as the App, whose limit is its own.
    """
    ask = Ask(doing="read the App's deliveries", where="the App", needs="the App's own key")
    newest: dict[str, tuple[int, datetime]] = {}
    taken: set[str] = set()
    path = "/app/hook/deliveries?per_page=100"
    for _ in range(MOST_PAGES):
        page = app.call("GET", path, ask)
        with understood("the App's deliveries"):
            for entry in page["items"]:
                at = parse_instant(entry["delivered_at"])
                if at < since:
                    break
                guid = str(entry["guid"])
                if 200 <= int(entry["status_code"]) < 300:
                    taken.add(guid)
                newest.setdefault(guid, (int(entry["id"]), at))
            over = not page["items"] or parse_instant(page["items"][-1]["delivered_at"]) < since
        if over or not page["next"]:
            break
        path = str(page["next"])
    missed = [(guid, number, at) for guid, (number, at) in reversed(newest.items()) if guid not in taken]
    again = [guid for guid, number, _ in missed[:limit] if _repeated(app, number, ask)]
    last = max((at for _, at in newest.values()), default=since)
    return Missed(again=tuple(again), since=missed[limit][2] if len(missed) > limit else max(since, last - OVERLAP))


def _repeated(app: AppInstallation, number: int, ask: Ask) -> bool:
    """False for one that is too old, or of an event that is gone: the periodic look makes up for it."""
    try:
        app.call("POST", f"/app/hook/deliveries/{number}/attempts", ask)
    except UserError:
        return False
    return True
