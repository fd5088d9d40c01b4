"""What a hundred thousand events leave behind: memory after them beside memory after the first thousand, and how many are taken a second.

Run: python -m benchmarks many_events (about five minutes). A bot's door and engine on SQLite, as many senders as webhook benchmarks have.
"""

import tempfile
import time

from benchmarks.rows import Row
from benchmarks.webhook import Served, deliver, served

FEW, MANY = 1_000, 100_000
AT_ONCE = 1_000_000.0


def bench() -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as folder, served(f"sqlite:///{folder}/bot.db") as found:
        deliver(found.url, FEW, AT_ONCE)
        before = _drained(found)
        began = time.perf_counter()
        deliver(found.url, MANY - FEW, AT_ONCE, first=FEW)
        taken = time.perf_counter() - began
        after = _drained(found)
        drained = time.perf_counter() - began
    return [
        Row(what=f"events taken a second ({MANY:,} on SQLite)", measured=round((MANY - FEW) / taken), unit="/s"),
        Row(what="events done a second", measured=round((MANY - FEW) / drained), unit="/s"),
        Row(what=f"resident memory after {FEW:,} events", measured=round(before), unit="MB"),
        Row(what=f"resident memory after {MANY:,} events", measured=round(after), unit="MB", goal=round(before * 1.2)),
    ]


def _drained(found: Served) -> float:
    """Once every event is done: the memory that the process holds then, in MB."""
    while (status := found.ask())["counts"].get("received", 0):
        time.sleep(0.1)
    return float(status["rss_mb"])
