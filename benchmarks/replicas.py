"""How long the work of a replica that was killed lies still: from `kill -9` until another one has run all of its stages.

Run: python -m benchmarks replicas. Two processes on one PostgreSQL, with the intervals of a real bot. A process that is gone from the
same machine is known to be; one on another machine has to be silent for a while first.
"""

import time

import sqlalchemy as sa

from benchmarks._served import STAGES
from benchmarks.rows import Row
from benchmarks.webhook import served
from bot.adapters.store.database import Database
from tests.support.postgres import new_database, postgres_server

NEVER_ENDS = 600.0
PATIENCE = 60.0


def bench() -> list[Row]:
    """One row each for a neighbour and a stranger."""
    with postgres_server(careful=True) as server:
        here, elsewhere = (lies_still(new_database(server), elsewhere=elsewhere) for elsewhere in (False, True))
    what = "work of a killed replica continues after"
    return [
        Row(what=f"{what}, same machine", measured=round(here, 1), unit="s", goal=30),
        Row(what=f"{what}, another machine", measured=round(elsewhere, 1), unit="s", goal=30),
    ]


def lies_still(url: str, *, elsewhere: bool) -> float:
    """Seconds. The first replica hangs in as many stages as it takes at a time when it is killed."""
    with served(url, NEVER_ENDS) as victim:
        while not victim.ask()["under_way"]:
            time.sleep(0.1)
        if elsewhere:
            database = Database(url)
            with database.write() as session:
                session.connection().execute(sa.text("UPDATE replicas SET host = 'another machine'"))
            database.close()
        with served(url) as heir:
            time.sleep(5)
            if heir.ask()["stages"] >= len(STAGES):
                raise SystemExit("the first replica held no stage")
            victim.process.kill()
            victim.process.wait()
            killed = time.perf_counter()
            while heir.ask()["stages"] < len(STAGES):
                if time.perf_counter() - killed > PATIENCE:
                    raise SystemExit("its work was not continued")
                time.sleep(0.1)
            return time.perf_counter() - killed
