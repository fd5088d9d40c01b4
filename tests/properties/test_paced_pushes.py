"""More is to be pushed than may be in a minute: what is too much is opened a minute later, once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.domain.promotion import PromotionState
from tests.support.model_story import faces, go_on, pulls, until
from tests.support.model_world import DEVELOPER, SERVICES, ModelWorld, manifest, path_of, settled

pytestmark = pytest.mark.slow


class OneAMinute(ModelWorld):
    """One push a minute goes into a repository."""

    def _config(self) -> Path:
        path = super()._config()
        document = json.loads(path.read_text())
        document["forge"]["pushes_per_minute"] = 1
        document["pipeline"]["stages"]["qa"]["merge"] = "manual"
        path.write_text(json.dumps(document))
        return path


@pytest.fixture
def world() -> Iterator[OneAMinute]:
    with settled(OneAMinute) as found:
        yield found


def test_what_is_too_much_for_a_minute_comes_in_the_next(world: OneAMinute) -> None:
    """(Branches that are opened by one run are pushed together; these two come one after the other.)"""
    for service in SERVICES:
        files = {path_of(service): manifest(service, "1.1.0")}
        world.github.push(world.repository("dev"), "main", files, message=service, author=DEVELOPER)
        until(world, lambda: pulls(world, "qa"))
    until(world, lambda: ("web", "1.1.0") in set(world.healthy("dev")))
    go_on(world, 6)
    assert len(pulls(world, "qa")) == 1
    assert sorted(world.github.list_branches(world.repository("qa"))) == sorted(["main", pulls(world, "qa")[0].head_ref])
    with world.bot.parts.database.write() as session:
        session.connection().execute(sa.text("DELETE FROM paces"))  # a minute of the database's own time went by
    go_on(world, 2)
    opened = pulls(world, "qa")
    assert sorted(len(faces(pull)) for pull in opened) == [1, 1]
    states = [row.state for row in world.bot.parts.history.promotions("qa")]
    assert states == [PromotionState.OPEN, PromotionState.OPEN]
