"""What a backfill keeps in the database, on both databases: exactly what was found, once, marked, resumable, and forgotten when asked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.store.audit import entries, verify
from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.pruning import prune
from bot.adapters.store.rebuilt import StoredBackfill
from bot.domain.history import CommitRef, Deploy, RolloutKind, RolloutStatus
from bot.domain.history_json import event_to_json
from bot.domain.promotion import PromotionState
from bot.reporting.live import live_history
from tests.support.builders import NOW, promotion

DAY = timedelta(days=1)


def deploy(commit: str, version: str, at: datetime = NOW - 9 * DAY, stage: str = "qa") -> Deploy:
    return Deploy(
        id=f"git:{stage}:{commit * 16}:payments", service="payments", stage=stage, at=at, version=version, status=RolloutStatus.SUCCESS,
        kind=RolloutKind.PROMOTION, commits=(CommitRef(sha=commit, at=at - DAY),), doubts=("commit_time",),
    )  # fmt: skip


def state(deploys: Sequence[Deploy], head: str = "h1", **more: Any) -> dict[str, Any]:
    base = {
        "head": head,
        "since": None,
        "folder": "",
        "live": {},
        "made": [],
        "promotions": {},
        "last_at": None,
        "begun": True,
        "notes": {},
    }
    return base | {"events": [event_to_json(one) for one in deploys]} | more


def test_it_is_read_back_by_the_reports_and_by_the_next_run_and_a_second_run_changes_nothing(database: Database) -> None:
    past = [deploy("a", "1.0.0"), deploy("b", "1.1.0", NOW - DAY)]
    stored = StoredBackfill(database)
    assert stored.read() == {}
    assert stored.keep({"qa": state(past)}, now=NOW) == 2
    assert StoredDelivery(database).records().rebuilt == tuple(past)
    assert StoredDelivery(database).records("qa").rebuilt == tuple(past)
    assert StoredDelivery(database).records("prod").rebuilt == ()
    again = StoredBackfill(database)
    saved = again.read()
    assert saved == {"qa": state(past)}
    assert again.keep(saved, now=NOW) == 0
    assert again.keep({"qa": state(past, notes={"rewritten": 1})}, now=NOW) == 0, "only the notes changed"
    assert StoredBackfill(database).read()["qa"]["notes"] == {"rewritten": 1}


def test_the_rows_of_a_stage_are_what_the_last_run_found_there(database: Database) -> None:
    stored = StoredBackfill(database)
    other = deploy("d", "3.0.0", stage="prod")
    stored.keep({"qa": state([deploy("a", "1.0.0"), deploy("b", "1.1.0")]), "prod": state([other])}, now=NOW)
    fresh = StoredBackfill(database)
    fresh.read()
    assert fresh.keep({"qa": state([deploy("a", "1.0.1"), deploy("c", "1.2.0")], head="h2")}, now=NOW) == 3
    assert {one.version for one in StoredDelivery(database).records().rebuilt} == {"1.0.1", "1.2.0", "3.0.0"}


def test_two_runs_at_once_double_nothing(database: Database) -> None:
    one, other = StoredBackfill(database), StoredBackfill(database)
    for run in (one, other):
        run.read()
    for run in (one, other):
        run.keep({"qa": state([deploy("a", "1.0.0")])}, now=NOW)
    assert len(StoredDelivery(database).records().rebuilt) == 1


def test_what_the_bot_merged_is_read_beside_it(database: Database) -> None:
    history = StoredHistory(database)
    history.save_promotion(
        promotion(state=PromotionState.MERGED, merge_commit="b" * 40, revert_commit="c" * 40), why="x", actor="b", now=NOW
    )
    assert StoredDelivery(database).records().merged == frozenset(), "without a backfill nobody needs it"
    StoredBackfill(database).keep({"qa": state([deploy("a", "1.0.0"), deploy("b", "1.1.0", NOW)])}, now=NOW)
    records = StoredDelivery(database).records("qa")
    assert records.merged == {("qa", "b" * 40), ("qa", "c" * 40)}
    assert [one.version for one in live_history(records).events if isinstance(one, Deploy)] == ["1.0.0"]


def test_it_is_forgotten_stage_by_stage_and_only_when_asked(database: Database) -> None:
    stored = StoredBackfill(database)
    stored.keep({"qa": state([deploy("a", "1.0.0")]), "prod": state([deploy("d", "3.0.0", stage="prod")])}, now=NOW)
    prune(database, now=NOW + 4000 * DAY)
    assert len(StoredDelivery(database).records().rebuilt) == 2
    assert stored.forget(["qa"], now=NOW) == 1
    assert set(stored.read()) == {"prod"}
    assert stored.forget(now=NOW) == 1
    assert (stored.read(), StoredDelivery(database).records().rebuilt) == ({}, ())
    assert stored.forget(now=NOW) == 0
    log = [(one.action, one.subject, one.details["rollouts"]) for one in reversed(entries(database))]
    assert log == [
        ("backfill", "qa", "1"),
        ("backfill", "prod", "1"),
        ("backfill forgotten", "qa", "1"),
        ("backfill forgotten", "all stages", "1"),
    ]
    assert verify(database).broken_at is None
