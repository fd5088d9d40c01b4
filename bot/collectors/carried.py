"""Finds out what each recorded rollout carried, from the source repository that the configuration names for its service.

Decides which rollouts are still to be looked up and when one that could not be is tried again. Git is the source's, keeping is the store's.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.config.schema import Config
from bot.domain.action import SaveDeployment
from bot.domain.carried import Carried
from bot.domain.errors import BotError, Fenced
from bot.domain.image import Version
from bot.reporting.live import Records
from bot.reporting.recorded import deploy_id

log = structlog.get_logger("carried")

AGAIN, GIVE_UP = timedelta(hours=1), timedelta(days=7)
"""A tag may be pushed after the image; after a week it is not waited for any more."""


class Sources(Protocol):
    """Source repositories."""

    def refresh(self, repository: str) -> None: ...

    def carried(self, repository: str, service: str, image: str, old: Version, new: Version) -> Carried: ...


class Kept(Protocol):
    """Who keeps rollouts and what they carried."""

    def records(self, stage: str | None = None) -> Records: ...

    def settled(self, *, now: datetime) -> frozenset[str]: ...

    def save_carried(self, deploy: str, carried: Carried, *, now: datetime, again_at: datetime | None) -> None: ...


def look_up_carried(config: Config, kept: Kept, sources: Sources, clock: Callable[[], datetime]) -> int:
    """Look up what is not known yet; how many rollouts were looked up. A repository that cannot be reached is tried again next time."""
    now = clock()
    settled = kept.settled(now=now)
    todo: dict[str, list[SaveDeployment]] = {}
    for row in kept.records().deployments:
        source = config.service(row.service).source
        if source is not None and row.kind in ("promotion", "hotfix") and deploy_id(row) not in settled:
            todo.setdefault(source, []).append(row)
    done = 0
    for repository, rows in todo.items():
        try:
            sources.refresh(repository)
            for row in rows:
                found = _of(sources, repository, row)
                again = now + AGAIN if found.problem and now - row.at < GIVE_UP else None
                kept.save_carried(deploy_id(row), found, now=now, again_at=again)
                done += 1
        except Fenced:
            raise
        except BotError as error:
            log.warning("carried.failed", repository=repository, reason=str(error))
    return done


def _of(sources: Sources, repository: str, row: SaveDeployment) -> Carried:
    move = next((move for move in row.promotion.moves if move.service == row.service), None)
    if move is None:
        return Carried(problem="the promotion does not say what stood there before")
    image = next((edit.artifact for edit in move.edits if edit.new == move.new.main), "")
    return sources.carried(repository, row.service, image, move.old.main, move.new.main)
