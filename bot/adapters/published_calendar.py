"""Fetches a published iCalendar for `window` and `freeze`, again and again, with the ETag of the last time.

Decides only whether a calendar came; what stands in it is the gates'. While it cannot be fetched the last one counts for an hour.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.adapters.safe_http import Limits, SafeHttp
from bot.collectors.answers import Found
from bot.domain.errors import TransientError

FRESH = timedelta(minutes=10)
HOLDS = timedelta(hours=1)
LARGEST = 4 << 20
KEPT = 200


class PublishedCalendar:
    """The asker of `calendar` questions: url."""

    source = "calendar"

    def __init__(self, http: SafeHttp, *, private: bool) -> None:
        self._http = http
        self._private = private
        self._marks: dict[str, str] = {}

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        url = params["url"]
        mark = self._marks.get(url, "") if isinstance(before, str) else ""
        headers = {"accept": "text/calendar, */*;q=0.1"} | ({"if-none-match": mark} if mark else {})
        reply = self._http.exchange("GET", url, headers=headers, private=self._private, limits=Limits(largest=LARGEST))
        if reply.status == 304 and mark:
            return Found(value=before, fresh=FRESH, holds=HOLDS)
        text = reply.text
        if reply.status != 200 or not text.lstrip("\ufeff \r\n").upper().startswith("BEGIN:VCALENDAR"):
            what = f"it answered {reply.status}" if reply.status != 200 else "what it answered is no calendar"
            raise TransientError(what)
        if len(self._marks) < KEPT:
            self._marks[url] = reply.headers.get("etag", "")
        return Found(value=text, fresh=FRESH, holds=HOLDS)
