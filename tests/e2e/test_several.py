"""Two `serve` processes over one PostgreSQL, a version that fails, and replicas that die and freeze in the middle of it: the end is the one
that a single bot which nobody disturbs comes to."""

from dataclasses import replace

import pytest

from tests.faults.matrix import good, story, undisturbed
from tests.faults.world import HOOK_SECRET, BotProcess, World, free_port

pytestmark = [pytest.mark.disturbed, pytest.mark.postgres]


class Fate:
    """What becomes of the two while the story goes on. The first is the world's own."""

    def __init__(self) -> None:
        self.second: BotProcess | None = None
        self.killed = self.frozen = self.thawed = False

    def __call__(self, world: World) -> None:
        if self.second is None:
            self.second = self._second(world)
            return
        if not self.killed:
            if world.pulls():
                self.second.close()
                self.killed = True
                self.second.start()
        elif not self.frozen:
            if world.pulls("closed"):
                world.bot.pause()
                self.frozen = True
        elif not self.thawed and _reverted(world):
            world.bot.pause(on=False)
            self.thawed = True

    def afterwards(self, _world: World) -> str:
        return "" if self.thawed else f"killed {self.killed}, frozen {self.frozen}, thawed {self.thawed}: not all of it came about"

    def _second(self, world: World) -> BotProcess:
        """It gets the webhooks."""
        port = free_port()
        more = {"PROMOTION_BOT_LISTEN_PORT": str(port), "PROMOTION_BOT_STATE_DIR": str(world.root / "state-of-the-second")}
        found = replace(world.bot, environment={**world.bot.environment, **more}, log=world.root / "second.log", port=port, process=None)
        found.start()
        world.github.set_webhook(f"http://127.0.0.1:{port}/webhooks/github", HOOK_SECRET)
        return found

    def close(self) -> None:
        if self.second is not None:
            self.second.close()


def _reverted(world: World) -> bool:
    return any(commit.message.startswith("revert") for commit in world.github.log(world.repository("qa")))


def test_two_replicas_one_killed_one_frozen_come_to_the_same_end(postgres_url: str) -> None:
    expected, fate = undisturbed("fail"), Fate()
    try:
        outcome = story(expected, postgres_url, "two replicas", disturb=fate, afterwards=fate.afterwards)
    finally:
        fate.close()
    good(outcome)
