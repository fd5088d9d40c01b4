"""The database is lost altogether, in the middle of a promotion: all of it is read back from git and GitHub but what cannot be proven.

(The worlds are those of the model test; here each story is told once, by hand.)
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.model_story import faces, go_on, pulls, push, until
from tests.support.model_world import APPROVER, DEVELOPER, ModelWorld, settled

pytestmark = pytest.mark.slow


@pytest.fixture
def world() -> Iterator[ModelWorld]:
    with settled(ModelWorld) as found:
        yield found


def waiting_for_prod(world: ModelWorld) -> Any:
    push(world, "1.1.0")
    until(world, lambda: [pull for pull in pulls(world, "prod") if pull.state == "open" and pull.comments])
    return pulls(world, "prod")[0]


def test_an_open_promotion_is_known_again_and_merged(world: ModelWorld) -> None:
    pull = waiting_for_prod(world)
    head = pull.head_sha
    world.lose_the_database()
    go_on(world, 3)
    [same] = pulls(world, "prod")
    assert (same.number, same.state, same.head_sha) == (pull.number, "open", head)
    assert len(faces(same)) == 1
    world.github.approve(world.repository("prod"), same.number, APPROVER)
    until(world, lambda: ("web", "1.1.0") in set(world.healthy("prod")))
    assert len(pulls(world, "prod")) == 1
    assert len(faces(pulls(world, "prod")[0])) == 1


def test_an_approval_that_github_proves_counts_and_no_other_does(world: ModelWorld) -> None:
    pull = waiting_for_prod(world)
    key = next(iter(world.bot.parts.history.promotions("prod"))).id
    world.github.comment(world.repository("prod"), pull.number, DEVELOPER, "/promote approve")
    world.lose_the_database()
    go_on(world, 3)
    assert pulls(world, "prod")[0].state == "open", f"{key} was approved by nobody who may"


def test_a_merged_promotion_is_watched_to_its_end(world: ModelWorld) -> None:
    pull = waiting_for_prod(world)
    world.clusters["prod"].behave("ghcr.io/acme/web", "1.1.0", "crash")
    world.github.approve(world.repository("prod"), pull.number, APPROVER)
    until(world, lambda: world.declares("prod", "web") == "1.1.0")
    world.lose_the_database()
    until(world, lambda: world.declares("prod", "web") == "1.0.0", rounds=30)
    go_on(world, 5)
    assert world.declares("prod", "web") == "1.0.0", "what failed came back"
    subjects = [commit.message.splitlines()[0] for commit in world.github.log(world.repository("prod"))]
    assert sum(subject.startswith("revert") for subject in subjects) == 1


def test_a_version_that_failed_stays_out(world: ModelWorld) -> None:
    world.clusters["qa"].behave("ghcr.io/acme/web", "1.1.0", "crash")
    push(world, "1.1.0")
    until(world, lambda: any(commit.message.startswith("revert") for commit in world.github.log(world.repository("qa"))))
    go_on(world, 3)
    world.lose_the_database()
    go_on(world, 8)
    merged = [commit for commit in world.github.log(world.repository("qa")) if commit.message.startswith("promote")]
    assert len(merged) == 1
    assert not [pull for pull in pulls(world, "qa") if pull.state == "open"]
