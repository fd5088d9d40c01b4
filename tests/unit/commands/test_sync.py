"""`sync`: which stage's agent is asked, and that nothing is stored for it."""

from bot.commands.model import Outcome, Problem
from tests.unit.commands.test_verbs import do, scene


def test_it_asks_the_agent_of_the_stage_that_is_named_or_stood_on() -> None:
    for line, stage in (("sync prod", "prod"), ("sync", "qa")):
        effect = do(line)
        assert (effect.outcome, effect.nudge, effect.stages, effect.add) == (Outcome.DONE, (stage,), (stage,), ())


def test_without_a_stage_and_with_a_strange_word_it_says_what_to_type() -> None:
    assert "sync <stage>" in do("sync", scene(subject=None)).told
    assert do("sync payments").problem is Problem.NOT_FOUND
    assert do("sync moon").problem is Problem.NOT_FOUND
