"""The recorded changes of health become the versions that a stage with `follow: every` takes, over the real database."""

from datetime import timedelta

import pytest

from bot.adapters.store.database import Database
from bot.adapters.store.history import StoredHistory
from bot.collectors.proven import proven
from bot.domain.facts import Proven
from bot.domain.rollout import RolloutState
from tests.support.builders import NOW, config, health, release

HOUR = timedelta(hours=1)


@pytest.fixture
def history(database: Database) -> StoredHistory:
    return StoredHistory(database)


def test_what_ran_healthily_and_long_enough_is_read_back_in_order(history: StoredHistory) -> None:
    states = [
        (0, "1.0.0", RolloutState.HEALTHY),
        (2, "1.1.0", RolloutState.PROGRESSING),
        (3, "1.1.0", RolloutState.HEALTHY),
        (4, "1.1.0", RolloutState.DEGRADED),
        (5, "1.2.0", RolloutState.HEALTHY),
        (6, "1.2.0", RolloutState.PROGRESSING),
        (7, "1.2.0", RolloutState.HEALTHY),
        (9, "1.3.0", RolloutState.PROGRESSING),
    ]
    for hour, version, state in states:
        at = NOW + hour * HOUR
        history.save_health("dev", health(version, state=state, since=at), now=at)
    later = NOW + 10 * HOUR
    soak = {"gates": [{"gate": "soak", "for": "2h"}]}
    every = config(qa={"follow": "every", **soak}).stage("qa")
    expected = (
        Proven(release=release("1.0.0"), since=NOW, until=NOW + 2 * HOUR),
        Proven(release=release("1.2.0"), since=NOW + 5 * HOUR, until=NOW + 9 * HOUR),
    )
    assert proven(every, history, now=later) == {"dev": {"payments": expected}}
    assert proven(every, history, now=later + timedelta(days=31)) == {"dev": {}}
    assert proven(config(qa=soak).stage("qa"), history, now=later) == {}
