"""What stands at the end of a story, as a multiset of effects: on the forge, in the chat, and in the bot's history.

Read from the sandbox and the database, by none of the bot's rules. What differs between two undisturbed runs (instants, commit
ids, names of pods) is blotted out, nothing else.
"""

import re
from collections import Counter

from bot.adapters.store import audit
from bot.adapters.store.database import Database
from bot.adapters.store.history import StoredHistory
from bot.domain.promotion import Promotion, PromotionState
from bot.sandbox.github.state import Pull
from tests.faults.world import STAGES, World

BLOTS = (
    (re.compile(r"(?<= failed: ).*"), "WHY"),
    (re.compile(r"https?://127\.0\.0\.1:\d+"), "URL"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( UTC|Z|\+00:00)?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?( UTC)?"), "TIME"),
    (re.compile(r"payments-[0-9a-z]{5,}(-[0-9a-z]{5})?"), "POD"),
    (re.compile(r"\b[0-9a-f]{7,64}\b"), "HEX"),
    (re.compile(r"\b\d+(\.\d+)?(m|s|ms)\b( \d+s)?"), "SPAN"),
)
Effects = Counter[tuple[str, ...]]


def blotted(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, word in BLOTS:
        text = pattern.sub(word, text)
    return text


def effects(world: World) -> Effects:
    """Everything that the bot brought about in this world."""
    found: Effects = Counter()
    for stage in STAGES:
        repository = world.repository(stage)
        found.update(("branch", stage, name) for name in world.github.list_branches(repository))
        found.update(("commit", stage, blotted(commit.message.splitlines()[0])) for commit in world.github.log(repository))
        found[("declares", stage, world.declares(stage))] += 1
        for pull in world.github.pulls(repository):
            found.update(_pull(world, stage, pull))
    found.update(("message", _kind(message.metadata), blotted(message.text)) for message in world.slack.messages())
    found.update(_history(world))
    return found


def _pull(world: World, stage: str, pull: Pull) -> Effects:
    found: Effects = Counter()
    place = ("pull request", stage, str(pull.number))
    found[(*place, pull.title, "merged" if pull.merged_at else pull.state)] += 1
    found.update((*place, "label", label.name) for label in pull.labels)
    found.update((*place, "comment", comment.author.login, _first_words(comment.body)) for comment in pull.comments)
    found.update((*place, "review", review.author.login, review.state) for review in pull.reviews)
    runs = [run for run in world.github.repository(world.repository(stage)).check_runs.values() if run.head_sha == pull.head_sha]
    found.update((*place, "check", run.name, str(run.conclusion), blotted(str(run.output.get("title")))) for run in runs)
    return found


def _first_words(body: str) -> str:
    """Which comment it is: its first visible line."""
    lines = [line for line in re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL).splitlines() if line.strip()]
    return blotted(lines[0]) if lines else ""


def _kind(metadata: dict[str, object] | None) -> str:
    payload = (metadata or {}).get("event_payload")
    return blotted(str(payload.get("key", "")).rpartition(":")[2]) if isinstance(payload, dict) else ""


def _history(world: World) -> Effects:
    """The rows that reports and people read. A promotion that never got a pull request was nothing but a plan."""
    found: Effects = Counter()
    database = Database(world.database_url)
    try:
        history = StoredHistory(database)
        promotions = [one for one in history.recent_promotions(limit=1000) if one.number is not None]
        found.update(("promotion", *_row(one)) for one in promotions)
        found.update(("quarantine", one.stage, one.service, str(one.release)) for one in history.quarantines())
        found.update(("deployment", one.promotion.stage, one.service, one.version, one.kind, one.status) for one in history.deployments())
        for stage in STAGES:
            found.update(("hold", stage, hold.reason) for hold in history.stage_holds(stage))
            found.update(("order", stage, order.order.value, order.actor.login) for order in history.directives(stage))
        numbered = {one.id for one in promotions}
        told = [row for row in audit.entries(database, limit=10_000) if row.details.get("promotion") in numbered]
        found.update(("audit", row.action, row.subject) for row in told if not row.action.endswith((" opening", " superseded")))
        broken = audit.verify(database).broken_at
        found[("audit chain", "whole" if broken is None else f"broken at row {broken}")] += 1
    finally:
        database.close()
    return found


def _row(one: Promotion) -> tuple[str, ...]:
    return (one.stage, one.name, str(one.moves[0].old), str(one.moves[0].new), one.state.value, str(one.number))


def settled(world: World) -> bool:
    """True when no promotion is under way and no message waits."""
    database = Database(world.database_url)
    try:
        return not any(one.state in UNDER_WAY for one in StoredHistory(database).recent_promotions(limit=1000))
    finally:
        database.close()


UNDER_WAY = frozenset({PromotionState.OPENING, PromotionState.MERGED, PromotionState.FAILED, PromotionState.REVERTING})
