"""A serving process for tests, to be killed or paused: `python -m tests.support.replica URL LOG SECONDS STAGE...`.

Each run writes "begin STAGE PID" and "end STAGE PID" with instants into the log, and one audit row between them.
"""

import os
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from bot.adapters.store.database import Database
from bot.adapters.store.history import StoredHistory
from bot.domain.errors import Fenced
from bot.reconcile.engine import Timing
from bot.reconcile.run import RunResult
from tests.support.engine import engine_on, now

TIMING = Timing(
    poll_seconds=0.1,
    beat=timedelta(seconds=0.5),
    dead_after=timedelta(seconds=3),
    resync=timedelta(minutes=10),
    lost_after=timedelta(seconds=10),
    stop_wait=timedelta(seconds=5),
)


def main() -> None:
    url, log, seconds, *stages = sys.argv[1:]
    history = StoredHistory(Database(url))

    def note(what: str, stage: str) -> None:
        with Path(log).open("a") as file:
            file.write(f"{what} {stage} {os.getpid()} {time.time():.3f}\n")

    def run(stage: str) -> RunResult:
        note("begin", stage)
        time.sleep(float(seconds))
        try:
            history.audit(actor=str(os.getpid()), action="run", subject=stage, why="test", now=now(), details={})
        except Fenced:
            note("fenced", stage)
            raise
        note("end", stage)
        return RunResult()

    leave = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: leave.set())
    with engine_on(url, run, stages=stages, timing=TIMING):
        note("up", "-")
        leave.wait()
    note("down", "-")


if __name__ == "__main__":
    main()
