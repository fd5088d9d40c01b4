"""`events` and `audit` on a database: what they print, and their exit codes."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.adapters.store import audit, inbox
from bot.adapters.store.database import Database
from bot.adapters.store.inbox import TRIES, Delivery
from bot.adapters.store.wakeups import Wakeups
from tests.support.builders import NOW
from tests.support.engine import engine_on, now


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command: Sequence[str] = [sys.executable, "-c", "from bot.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])


def test_a_tampered_audit_log_is_told_apart_from_a_sound_one(database: Database) -> None:
    for number in range(3):
        with database.write() as session:
            audit.append(session, actor="ana", action="approve", subject="qa/payments", why=f"r{number}", now=NOW, details={})
    sound = run("audit", "--database", database.url, "verify", "--output", "json")
    assert (sound.returncode, json.loads(sound.stdout)) == (0, {"rows": 3, "broken_at": None, "problem": "", "ok": True})
    listed = run("audit", "--database", database.url, "--output", "json", "--limit", "2")
    assert [row["why"] for row in json.loads(listed.stdout)] == ["r2", "r1"]
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE audit SET why = 'forged' WHERE id = 2")
    forged = run("audit", "--database", database.url, "verify")
    assert forged.returncode == 1
    assert forged.stderr.startswith("error: the audit log was tampered with at row 2\nwhy: ")


def test_a_dead_letter_is_shown_and_driven_again(database: Database) -> None:
    from bot.reconcile.run import RunResult
    from tests.contract.engine.test_engine import wait_for

    runs: list[str] = []

    def look(stage: str) -> RunResult:
        runs.append(stage)
        return RunResult()

    with engine_on(database.url, look) as engine:
        wakeups = engine.wakeups
        assert isinstance(wakeups, Wakeups)
        wait_for(lambda: wakeups.work()["qa"].ended_at is not None)
        assert runs == ["qa"], "as at every start"
        with database.write() as session:
            inbox.receive_all(session, [(Delivery(source="github", delivery="d1", event="push", meaning="m", received_at=NOW), ["qa"])])
        for number in range(TRIES):
            wakeups.begin("qa", f"r{number}", now=now())
            wakeups.fail("qa", f"r{number}", "internal error: KeyError", our_fault=True, now=now())
        (row,) = json.loads(run("events", "--database", database.url, "--state", "dead", "--output", "json").stdout)
        assert (row["delivery"], row["attempts"], row["error"]) == ("d1", TRIES, "internal error: KeyError")
        retried = run("events", "--database", database.url, "retry", "d1")
        assert (retried.returncode, retried.stdout) == (0, "d1 is taken up again; woken: qa\n")
        wait_for(lambda: runs == ["qa", "qa"])
        wait_for(lambda: "done" in run("events", "--database", database.url).stdout, seconds=60)


def test_what_is_not_there_is_refused_with_a_way_out(database: Database, tmp_path: Path) -> None:
    missing = run("events", "--database", f"sqlite:///{tmp_path}/none.db")
    assert missing.returncode == 2
    assert "there is no database" in missing.stderr
    unknown = run("events", "--database", database.url, "retry", "nobody")
    assert unknown.returncode != 0
    assert "there is no delivery nobody" in unknown.stderr
