"""An upgrade with work under way: what an older program had stored goes on under the new schema, from every revision there ever was."""

from dataclasses import MISSING, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from bot.adapters.store import audit, codec, inbox, migrate
from bot.adapters.store.database import Database
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.inbox import Delivery, Receipt
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.replicas import Replicas
from bot.adapters.store.wakeups import Wakeups
from bot.domain.action import Notify, Severity
from bot.domain.directive import Directive, Order
from bot.domain.facts import Quarantine, StageHold
from bot.domain.promotion import PromotionState
from bot.domain.verdict import Outcome, Verdict
from tests.support.builders import ANA, NOW, health, promotion, pull, release

IN_FLIGHT = (
    promotion(),
    promotion(service="search", number=None, state=PromotionState.OPENING),
    promotion(service="web", number=9, state=PromotionState.MERGED, merged_at=NOW, merge_commit="a" * 40, rollout_since=NOW),
    promotion(service="cart", number=10, state=PromotionState.FAILED, merged_at=NOW, merge_commit="b" * 40, failed_at=NOW),
)
HOLD = Directive(key="comment:1", order=Order.HOLD, stage="qa", service="web", at=NOW, actor=ANA, reason="wait")
BAN = Quarantine(stage="qa", service="cart", release=release("1.1.0"), at=NOW, reason="crash loop", promotion="p")
STOP = StageHold(stage="prod", at=NOW, reason="two reverts in a row")
NOTICE = Notify(key="k", thread="t", severity=Severity.CRITICAL, stage="qa", text="failed", fields={})
VERDICT = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="until 12:00", changer="time")
EVENT = Delivery(source="github", delivery="d1", event="push", meaning="m", received_at=NOW, repository="acme/env-qa")


def under_way(database: Database) -> None:
    """A bot that was in the middle of everything."""
    history = StoredHistory(database)
    for one in IN_FLIGHT:
        history.save_promotion(one, why="before the upgrade", actor="promotion-bot", now=NOW)
    history.save_verdicts(IN_FLIGHT[0], [VERDICT], now=NOW)
    history.save_pull(pull())
    history.save_binding(IN_FLIGHT[0].id, {"comment": "C1"}, now=NOW)
    history.save_health("qa", health("1.0.0"), now=NOW)
    history.add_directive(HOLD)
    history.save_quarantine(BAN, now=NOW)
    history.save_stage_hold(STOP, now=NOW)
    history.want_pulls("acme/env-qa", [7])
    journal = EffectJournal(database)
    journal.begin("merge:begun", "merged", now=NOW)
    journal.begin("open:done", "pull-opened", now=NOW)
    journal.done("open:done", {"number": 7}, now=NOW)
    StoredOutbox(database).put(NOTICE, now=NOW)
    with database.write() as session:
        assert inbox.receive_all(session, [(EVENT, ["qa"])]) == [Receipt.ACCEPTED]
    Wakeups(database, lambda *_: None).want("qa", "push", now=NOW)
    Replicas(database).register("the old one")


def downgraded(newest: Database, old: Database) -> None:
    """What stands in `newest`, as far as the tables and columns of `old` have a place for it."""
    there = sa.inspect(old.engine)
    with newest.engine.connect() as source, old.engine.begin() as target:
        for table in SQLModel.metadata.sorted_tables:
            if not there.has_table(table.name):
                continue
            columns = [table.c[column["name"]] for column in there.get_columns(table.name)]
            rows = [dict(row._mapping) for row in source.execute(sa.select(*columns))]
            if rows:
                target.execute(sa.insert(table), [{column.name: row[column.name] for column in columns} for row in rows])


@pytest.mark.parametrize("revision", migrate.revisions())
def test_what_was_under_way_goes_on(database_url: str, tmp_path: Path, revision: str) -> None:
    newest, database = Database(f"sqlite:///{tmp_path}/newest.db"), Database(database_url)
    migrate.upgrade(newest)
    under_way(newest)
    migrate.upgrade(database, to=revision)
    downgraded(newest, database)
    migrate.upgrade(database)
    stands_and_goes_on(database)
    newest.close()
    database.close()


def stands_and_goes_on(database: Database) -> None:
    history, journal = StoredHistory(database), EffectJournal(database)
    found = {one.id: one for one in history.promotions("qa")}
    assert found == {one.id: replace(one, version=1) for one in IN_FLIGHT}
    assert list(history.verdicts(IN_FLIGHT[0].id)) == [VERDICT]
    assert history.binding(IN_FLIGHT[0].id) == (NOW, {"comment": "C1"})
    assert history.pull("acme/env-qa", 7) is not None
    assert HOLD in history.directives("qa")
    assert (list(history.quarantines()), list(history.stage_holds("prod"))) == ([BAN], [STOP])
    assert set(history.stale_pulls("acme/env-qa")) == {7}
    assert journal.begin("merge:begun", "merged", now=NOW) == ("started", None)
    assert journal.begin("open:done", "pull-opened", now=NOW) == ("done", {"number": 7})
    outbox = StoredOutbox(database)
    assert list(outbox.due(now=NOW)) == [NOTICE]
    assert outbox.claim("k", now=NOW)
    wakeups = Wakeups(database, lambda *_: None)
    assert wakeups.work()["qa"].wanted
    with database.write() as session:
        assert inbox.receive_all(session, [(EVENT, ["qa"])]) == [Receipt.AGAIN]
    wakeups.begin("qa", "run", now=NOW)
    wakeups.finish("qa", "run", now=NOW)
    with database.read() as session:
        assert inbox.counts(session) == {"done": 1}
    merged = replace(found[IN_FLIGHT[0].id], state=PromotionState.MERGED, merged_at=NOW, merge_commit="c" * 40)
    assert history.save_promotion(merged, why="after the upgrade", actor="promotion-bot", now=NOW + timedelta(minutes=1)).version == 2
    report = audit.verify(database)
    assert (report.broken_at, report.problem) == (None, "")
    assert Replicas(database).register("the new one") == 2


NOUNS: tuple[Any, ...] = (*IN_FLIGHT, HOLD, BAN, STOP, NOTICE, VERDICT, pull(), health("1.0.0"))


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_a_row_of_another_version_is_read(noun: Any) -> None:
    """One that lacks what this program added since has its default; what a newer one added is passed over."""
    document = codec.dump(noun)
    assert codec.load(type(noun), {**document, "what_a_newer_one_added": {"x": 1}}) == noun
    for field in fields(noun):
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        if has_default:
            without = {key: value for key, value in document.items() if key != field.name}
            default = field.default if field.default is not MISSING else field.default_factory()  # type: ignore[misc]
            assert codec.load(type(noun), without) == replace(noun, **{field.name: default})
