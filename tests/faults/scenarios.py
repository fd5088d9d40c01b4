"""What happens in the worlds of the crash matrix: how people act, by what they see alone, and when it is over.

People look at the forge and the clusters, never at the bot. Each scenario reaches crash points that the others do not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.reconcile import crash
from tests.faults.world import APPROVER, IMAGE, STRANGER, TEAM, World

APPROVAL: list[dict[str, Any]] = [{"gate": "soak", "for": "1s"}, {"gate": "approval", "count": 1, "teams": [f"acme/{TEAM}"]}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story. `people` is called again and again; `over` says that everything which must come about has; `focus` are the
    crash points that this story is told for (empty: all), from the point `since` on (empty: from the start)."""

    name: str
    over: Callable[[World], bool]
    people: Callable[[World], None] = lambda _world: None
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    behaves: Mapping[str, str] = field(default_factory=dict)
    focus: frozenset[str] = frozenset()
    since: str = ""


def _has(version: str) -> Callable[[World], bool]:
    return lambda world: world.declares("qa") == version and world.runs("qa", version)


def _taken_back(world: World) -> bool:
    reverted = any(commit.message.startswith("revert") for commit in world.github.log(world.repository("qa")))
    return reverted and world.declares("qa") == "1.0.0" and world.runs("qa", "1.0.0")


def _approve(world: World, version: str) -> None:
    for pull in world.pulls("open"):
        if version in pull.title and world.declares("qa", pull.head_ref) == version:
            world.once("approve", lambda number=pull.number: world.github.approve(world.repository("qa"), number, APPROVER))  # type: ignore[misc]


def _told(world: World) -> bool:
    """True when the pull request stands and says what it waits for."""
    return any(pull.comments for pull in world.pulls("open"))


def _newer(world: World) -> None:
    """1.2.0 follows while 1.1.0 waits for its approval; only 1.2.0 is approved."""
    if _told(world):
        world.once("newer", lambda: world.push("dev", "1.2.0"))
    _approve(world, "1.2.0")


def _order(world: World) -> None:
    """One who may not approve says so and is answered; then one who may does, by a command.

    Not in the head's own second: GitHub tells a comment's time to the second, so what was said in it may have been said before the head.
    """
    for pull in world.pulls("open"):
        if datetime.now(UTC) - pull.created_at < timedelta(seconds=2):
            continue
        say = partial(world.github.comment, world.repository("qa"), pull.number)
        if _told(world):
            world.once("refused", partial(say, STRANGER, "/promote approve"))
        answers = [comment for comment in pull.comments if comment.author.login.endswith("[bot]")]
        if "refused" in world.done and len(answers) > 1:
            world.once("approve", partial(say, APPROVER, "/promote approve"))


def _withdraw(world: World) -> None:
    """The version is taken out of dev again while its promotion waits."""
    if _told(world):
        world.once("withdraw", lambda: world.push("dev", "1.0.0"))


def _withdrawn(world: World) -> bool:
    return "withdraw" in world.done and world.runs("dev", "1.0.0") and not world.pulls("open") and len(world.pulls()) == 1


AFTER_MERGE = frozenset({crash.SHOWN, crash.SAVED, crash.NOTIFIED})

TRAVEL = Scenario(name="travel", over=_has("1.1.0"))
FAIL = Scenario(
    name="fail",
    over=_taken_back,
    behaves={"1.1.0": "crash"},
    focus=AFTER_MERGE | {crash.REVERTED},
    since=f"{crash.MERGED}:saved",
)
FAIL_BY_PULL = Scenario(
    name="fail-by-pull",
    over=_taken_back,
    stages={"qa": {"on_failure": "revert-pr"}},
    behaves={"1.1.0": "crash"},
    focus=frozenset({crash.REVERTED, crash.REVERT_OPENED, crash.REVERT_MERGED, crash.SAVED}),
    since=f"{crash.REVERTED}:before",
)
RENEW = Scenario(
    name="renew",
    over=_has("1.2.0"),
    people=_newer,
    stages={"qa": {"gates": APPROVAL}},
    focus=frozenset({crash.PULL_UPDATED, crash.BRANCH_PUSHED, crash.MERGED, crash.SHOWN}),
    since=f"{crash.PULL_UPDATED}:before",
)
WITHDRAW = Scenario(
    name="withdraw", over=_withdrawn, people=_withdraw, stages={"qa": {"gates": APPROVAL}}, focus=frozenset({crash.PULL_CLOSED})
)
ORDER = Scenario(
    name="order",
    over=_has("1.1.0"),
    people=_order,
    stages={"qa": {"gates": APPROVAL}},
    focus=frozenset({crash.ORDERED, crash.REPLIED, crash.MERGED}),
)
SIGNED = Scenario(
    name="signed",
    over=_taken_back,
    stages={"qa": {"commits": "signed"}},
    behaves={"1.1.0": "crash"},
    focus=frozenset({crash.PULL_OPENED, crash.REVERTED}),
)
SCENARIOS = (TRAVEL, FAIL, FAIL_BY_PULL, RENEW, WITHDRAW, ORDER, SIGNED)


def prepare(world: World, scenario: Scenario) -> None:
    """Versions behave as the story says."""
    for version, how in scenario.behaves.items():
        world.clusters["qa"].behave(IMAGE, version, how)
