"""One release into one stage: exactly one pull request, and its life from the first push to the healthy rollout or the revert."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.image import Version
from bot.domain.release import Release
from bot.domain.slot import Holds


class PromotionState(StrEnum):
    """Where a promotion stands in its life.

    opening -> open -> merged (rolling out) -> healthy
                 |        └> failed -> reverting -> reverted (the revert's own rollout is healthy) | stuck (asks people)
                 └> closed (by a person, or because the candidate disappeared) | superseded
    """

    OPENING = "opening"
    OPEN = "open"
    MERGED = "merged"
    HEALTHY = "healthy"
    FAILED = "failed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    STUCK = "stuck"
    CLOSED = "closed"
    SUPERSEDED = "superseded"

    @property
    def in_flight(self) -> bool:
        """True while the bot has something to do or to watch for it."""
        return self in IN_FLIGHT

    @property
    def before_merge(self) -> bool:
        return self in (PromotionState.OPENING, PromotionState.OPEN)


IN_FLIGHT = frozenset({PromotionState.OPENING, PromotionState.OPEN, PromotionState.MERGED, PromotionState.FAILED, PromotionState.REVERTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotEdit:
    """One version in one file that a promotion changes. `path` counts from the repository's root."""

    path: str
    address: Mapping[str, object]
    artifact: str
    old: Version
    new: Version
    line: int = 0
    holds: Holds = Holds.IMAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One service inside a promotion: from which release to which, and the edits that do it."""

    service: str
    old: Release
    new: Release
    edits: tuple[SlotEdit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What the bot knows of one promotion. `name` is the service, or the group when services are batched.

    Instants are UTC. `head` is the promotion branch's commit as we wrote it; `base` the stage's commit it stands on.
    `rollout_since` is when the present watch began (merge or revert); `healthy_since` when the rollout became healthy and stayed so.
    `taken_over_by` is the login of a person who pushed to the branch: the bot stops editing then. `closed_by` is the login of a
    person who closed the pull request: the same content is not offered again by itself. `hotfix` says that the pull request had the
    label when it was merged. `version` counts the stored row's writes.
    """

    id: str
    stage: str
    name: str
    moves: tuple[Move, ...]
    branch: str
    state: PromotionState
    base: str
    opened_at: datetime
    head: str = ""
    number: int | None = None
    url: str = ""
    starter: str = ""
    merged_at: datetime | None = None
    merge_commit: str | None = None
    merged_by: str = ""
    rollout_since: datetime | None = None
    healthy_since: datetime | None = None
    failed_at: datetime | None = None
    revert_commit: str | None = None
    revert_number: int | None = None
    ended_at: datetime | None = None
    reason: str = ""
    taken_over_by: str = ""
    closed_by: str = ""
    hotfix: bool = False
    version: int = 0

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(move.service for move in self.moves)


def promotion_id(stage: str, moves: tuple[Move, ...], base: str) -> str:
    """The promotion's identity: the same content on the same base has the same id, so that a repeat after a crash finds itself."""
    text = "\0".join([stage, base, *(f"{move.service}={move.new.text}" for move in moves)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def branch_name(stage: str, name: str) -> str:
    """`promote/<stage>/<service>`, of letters, digits, `.`, `_`, `-`; a name with other signs gets a hash so that two stay apart."""
    slug = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in name).strip("-.")
    if slug != name or slug.endswith(".lock") or ".." in slug:
        slug = f"{slug.replace('..', '-').removesuffix('.lock') or 'service'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return f"promote/{stage}/{slug}"
