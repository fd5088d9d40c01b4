"""What the delivery reports are made of, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.history import StoredHistory
from bot.domain.action import SaveDeployment
from bot.domain.carried import Carried
from bot.domain.history import CommitRef, PullRef
from bot.domain.incident import Incident
from bot.domain.promotion import PromotionState
from bot.domain.verdict import Outcome, Verdict
from tests.support.builders import NOW, health, promotion

HOUR = timedelta(hours=1)
TOLD = Incident(id="api:7", source="api", at=NOW, stage="qa", service="payments", cause="500s")


@pytest.fixture
def stored(database: Database) -> StoredDelivery:
    return StoredDelivery(database)


def test_everything_recorded_is_read_back_and_can_be_asked_for_one_stage(database: Database, stored: StoredDelivery) -> None:
    history = StoredHistory(database)
    row = SaveDeployment(promotion=promotion(), service="payments", at=NOW, status="success", kind="promotion", version="0=1.1.0")
    carried = Carried(commits=(CommitRef(sha="a", at=NOW),), prs=(PullRef(number=3, merged_at=NOW, commits=("a",)),), reverts_prs=(2,))
    history.save_deployment(row)
    history.save_health("qa", health(), now=NOW)
    history.save_promotion(promotion(state=PromotionState.MERGED), why="x", actor="b", now=NOW)
    stored.save_carried("p:payments", carried, now=NOW, again_at=None)
    stored.save_incident(TOLD)
    found = stored.records()
    assert (found.deployments, found.incidents, found.carried) == ((row,), (TOLD,), {"p:payments": carried})
    assert [(one.stage, one.service, one.state) for one in found.health] == [("qa", "payments", "healthy")]
    assert [one.state for one in found.in_flight] == [PromotionState.MERGED]
    assert found.deployments == history.records("qa").deployments
    assert history.records("prod").deployments == ()
    assert history.records("prod").incidents == ()


def test_an_incident_told_again_keeps_its_beginning_and_gains_its_end(stored: StoredDelivery) -> None:
    assert stored.save_incident(TOLD) == "new"
    assert stored.save_incident(TOLD) == "known"
    assert stored.save_incident(replace(TOLD, at=NOW + HOUR, cause="", recovered_at=NOW + 2 * HOUR)) == "changed"
    assert stored.save_incident(TOLD) == "known", "a late repeat of the beginning does not open it again"
    assert stored.incident("api:7") == replace(TOLD, recovered_at=NOW + 2 * HOUR)


def test_what_was_not_found_is_looked_for_again_later(stored: StoredDelivery) -> None:
    stored.save_carried("a", Carried(problem="no tag"), now=NOW, again_at=NOW + HOUR)
    stored.save_carried("b", Carried(), now=NOW, again_at=None)
    assert stored.settled(now=NOW) == {"a", "b"}
    assert stored.settled(now=NOW + HOUR) == {"b"}


def test_a_report_is_made_once_per_key_and_the_one_before_is_found(stored: StoredDelivery) -> None:
    assert stored.save_report("k1", "s", {"n": 1}, as_of=NOW)
    assert not stored.save_report("k1", "s", {"n": 2}, as_of=NOW)
    stored.save_report("k2", "s", {"n": 3}, as_of=NOW + HOUR)
    assert stored.report("k1") == {"n": 1}
    assert stored.last_report("s", before=NOW + HOUR) == {"n": 1}
    assert stored.last_report("s", before=NOW) is None
    assert stored.last_report("other", before=NOW + 9 * HOUR) is None


def test_promotions_come_with_their_verdicts_in_order(database: Database, stored: StoredDelivery) -> None:
    history = StoredHistory(database)
    history.save_promotion(promotion(), why="x", actor="b", now=NOW)
    one = Verdict(gate="soak", outcome=Outcome.PENDING, sentence="wait", look_again=NOW)
    two = replace(one, outcome=Outcome.PASSED)
    for at, verdict in ((NOW, one), (NOW + HOUR, two)):
        history.save_verdicts(promotion(), (verdict,), now=at)
    (found,) = stored.waits()
    assert found.verdicts == ((NOW, (one,)), (NOW + HOUR, (two,)))
    history.save_promotion(promotion(id="old", number=9, state=PromotionState.CLOSED, ended_at=NOW), why="x", actor="b", now=NOW)
    assert len(stored.waits()) == 2
    assert len(stored.waits(since=NOW + HOUR)) == 1
