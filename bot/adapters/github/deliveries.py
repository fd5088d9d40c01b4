"""Webhooks that never arrived: ask GitHub for the log of our App's deliveries, and for another try of those that were not taken.

GitHub repeats nothing by itself, and keeps its log for three days
(https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries). A repeat comes with the same delivery id, so
that the inbox knows it again. It leaves to others when this is asked; nothing depends on it: every stage is looked at periodically.
"""

from datetime import datetime

from bot.adapters.github.auth import AppInstallation
from bot.adapters.github.reading import understood
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import MOST_PAGES
from bot.domain.errors import UserError
from bot.domain.instants import parse_instant


def redeliver_missed(app: AppInstallation, *, since: datetime, limit: int = 100) -> list[str]:
    """Ask for another try of every delivery since then of which no try was answered with a 2xx; their delivery ids, oldest first.

    One REST call per hundred deliveries and one per repeat, at most `limit` of these; all as the App, whose limit is its own.
    """
    ask = Ask(doing="read the App's deliveries", where="the App", needs="the App's own key")
    newest: dict[str, int] = {}
    taken: set[str] = set()
    path = "/app/hook/deliveries?per_page=100"
    for _ in range(MOST_PAGES):
        page = app.call("GET", path, ask)
        with understood("the App's deliveries"):
            for entry in page["items"]:
                if parse_instant(entry["delivered_at"]) < since:
                    break
                guid = str(entry["guid"])
                if 200 <= int(entry["status_code"]) < 300:
                    taken.add(guid)
                newest.setdefault(guid, int(entry["id"]))
            over = not page["items"] or parse_instant(page["items"][-1]["delivered_at"]) < since
        if over or not page["next"]:
            break
        path = str(page["next"])
    missed = [(guid, number) for guid, number in reversed(newest.items()) if guid not in taken][:limit]
    again = []
    for guid, number in missed:
        try:
            app.call("POST", f"/app/hook/deliveries/{number}/attempts", ask)
        except UserError:  # too old, or of an event that is gone: the periodic look makes up for it
            continue
        again.append(guid)
    return again
