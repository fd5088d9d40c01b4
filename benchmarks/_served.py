"""A bot's door and engine in a process of their own: `python -m benchmarks._served URL SECONDS`. Prints its address, then waits
for a line.

Runs take SECONDS; a stage that has nothing to do takes about 0.02. The last line it prints is what it used, as JSON.
"""

import json
import os
import resource
import secrets
import sys
import threading
import time
from datetime import UTC, datetime

import uvicorn

from bot.adapters.store import inbox, migrate
from bot.adapters.store.database import Database, make_queue_engine
from bot.adapters.store.replicas import Replicas
from bot.adapters.store.wakeups import Wakeups
from bot.cli._memory import SET_ASIDE_EVERY, collect_seldom, set_aside
from bot.logs import configure
from bot.reconcile.bell import Bell
from bot.reconcile.engine import Engine, Timing
from bot.reconcile.housekeeping import Housekeeper
from bot.reconcile.queue import Enqueuer, StageQueue
from bot.reconcile.rota import Duty
from bot.reconcile.run import RunResult
from bot.web import github_hook
from bot.web.health import Readiness
from bot.web.intake import Intake, StageMap, StagePlace
from bot.web.server import create_app, listen

STAGES = tuple(f"stage-{number}" for number in range(8))
SECRET = b"benchmark"


def wall_clock() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    collect_seldom()
    configure(level="WARNING")
    database = Database(sys.argv[1])
    migrate.upgrade(database)
    queue_engine = make_queue_engine(database.url)
    bell = Bell()
    wakeups = Wakeups(database, Enqueuer(queue_engine), bell.ring)
    runs, run_seconds = list[float](), float(sys.argv[2])

    under_way, ended = set[str](), set[str]()

    def run(stage: str) -> RunResult:
        under_way.add(stage)
        time.sleep(run_seconds)
        under_way.discard(stage)
        ended.add(stage)
        runs.append(time.monotonic())
        return RunResult()

    timing = Timing()
    engine = Engine(
        stages=STAGES,
        run=run,
        wakeups=wakeups,
        replicas=Replicas(database),
        queue=StageQueue(queue_engine, workers=4, poll_seconds=timing.poll_seconds, bell=bell),
        clock=wall_clock,
        name=lambda: secrets.token_hex(4),
        timing=timing,
    )
    housekeeper = Housekeeper(engine, wall_clock, [Duty("memory", SET_ASIDE_EVERY, set_aside)])
    places = StageMap(StagePlace(name=name, repository=f"acme/{name}", branch="main") for name in STAGES)
    intake = Intake(database, wakeups, places, clock=wall_clock, ours=lambda: "")
    intake.rehearse(STAGES[0])
    app = create_app([github_hook.router(intake, [SECRET])], readiness=Readiness())
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    engine.start()
    housekeeper.start()
    print(listener.getsockname()[1], flush=True)
    for line in sys.stdin:
        with database.read() as session:
            counts = inbox.counts(session)
        used = resource.getrusage(resource.RUSAGE_SELF)
        found = {
            "counts": counts,
            "runs": len(runs),
            "stages": len(ended),
            "under_way": len(under_way),
            "cpu": used.ru_utime + used.ru_stime,
            "rss_mb": _resident(),
            "line": line.strip(),
        }
        print(json.dumps(found), flush=True)
        if line.strip() == "end":
            os._exit(0)


def _resident() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
