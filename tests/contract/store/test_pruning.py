"""What is old and done goes; what is unfinished, or history stands on, stays."""

from datetime import timedelta

from bot.adapters.store import inbox
from bot.adapters.store.audit import verify
from bot.adapters.store.database import Database
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.inbox import Delivery
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.pruning import prune
from bot.domain.action import Notify, Severity
from tests.support.builders import NOW, promotion


def test_only_what_is_old_and_done_goes(database: Database) -> None:
    history, journal, outbox = StoredHistory(database), EffectJournal(database), StoredOutbox(database)
    history.save_promotion(promotion(), why="x", actor="b", now=NOW)
    with database.write() as session:
        for name, stages in (("done", []), ("waiting", ["qa"])):
            inbox.receive_all(session, [(Delivery(source="github", delivery=name, event="push", meaning=name, received_at=NOW), stages)])
    for key in ("done", "doubtful"):
        journal.begin(key, "merged", now=NOW)
    journal.done("done", "a" * 40, now=NOW)
    for key in ("sent", "queued"):
        outbox.put(Notify(key=key, thread="t", severity=Severity.INFO, stage="qa", text="x", fields={}), now=NOW)
    outbox.sent("sent", "ref", now=NOW)
    prune(database, now=NOW + timedelta(days=1))
    assert journal.known("done")
    prune(database, now=NOW + timedelta(days=60))
    with database.read() as session:
        assert [row.delivery for row in inbox.listing(session)] == ["waiting"]
    assert (journal.known("done"), journal.known("doubtful")) == (False, True)
    assert outbox.counts() == {"queued": 1}
    assert list(history.promotions("qa")) != []
    assert verify(database).rows == 1
