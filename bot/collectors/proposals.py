"""Tells a pull request that changes this configuration what the proposed rules would have done to the recorded history.

Decides which pull requests those are: open, onto the configured branch, with another content of the configured file than the branch.
What is proposed is data here: it is checked and replayed, and nothing that it names is read or asked. One comment for each pull request,
edited in place when the proposed content is another one, also when nothing is proposed any more.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from bot.config.load import check
from bot.config.problem import Problem
from bot.config.schema import Config
from bot.domain.errors import BotError
from bot.domain.pull import PullRequest, PullState
from bot.messages.words import code
from bot.reporting.formats.markdown import text
from bot.reporting.live import Records, live_history
from bot.reporting.simulate import simulate
from bot.reporting.simulation_told import told

log = structlog.get_logger("proposals")

_SHOWN = 20
NAME = "simulation"
WITHDRAWN = "### This pull request does not change the rules any more\n\n{file} is as on the branch that it would be merged into."


class Desk(Protocol):
    """Where proposals are read and answered."""

    def pulls(self, repository: str, *, base_branch: str, prefix: str, numbers: Iterable[int] = ()) -> Sequence[PullRequest]: ...

    def keep_comment(self, repository: str, number: int, body: str, *, name: str, stamp: str) -> None: ...


class Clones(Protocol):
    """The repository's content."""

    def refresh(self, repository: str) -> object: ...

    def read(self, repository: str, commit: str, path: str) -> bytes | None: ...


class Kept(Protocol):
    """Who keeps the history."""

    def records(self, stage: str | None = None) -> Records: ...


def tell_proposals(config: Config, desk: Desk, clones: Clones, kept: Kept, now: datetime, seen: set[tuple[int, str]]) -> int:
    """Answer what is new; how many comments were wanted or changed. `seen` holds (number, head) of what was looked at, and is added to.

    One GraphQL query each time, and one query and one call for each new proposal. A head that cannot be read (a fork's) is told in the log.
    """
    place = config.simulation
    if place.repository is None:
        return 0
    pulls = desk.pulls(place.repository, base_branch=place.branch, prefix="")
    fresh = [pull for pull in pulls if pull.state is PullState.OPEN and (pull.number, pull.head) not in seen]
    if not fresh:
        return 0
    clones.refresh(place.repository)
    made = 0
    for pull in fresh:
        try:
            before, after = (clones.read(place.repository, commit, place.file) for commit in (pull.base, pull.head))
        except BotError as error:
            log.warning("proposal.not_readable", number=pull.number, head=pull.head, problem=str(error))
            seen.add((pull.number, pull.head))
            continue
        if after is not None and after != before:
            stamp = hashlib.sha256(after).hexdigest()[:16]
            desk.keep_comment(place.repository, pull.number, answer(config, kept, after, now), name=NAME, stamp=stamp)
            log.info("proposal.told", number=pull.number, head=pull.head)
            made += 1
        elif any(one.ours and f"<!-- promotion-bot:{NAME}:" in one.body for one in pull.comments):
            desk.keep_comment(place.repository, pull.number, WITHDRAWN.format(file=code(place.file)), name=NAME, stamp="none")
            made += 1
        seen.add((pull.number, pull.head))
    return made


def answer(config: Config, kept: Kept, proposed: bytes, now: datetime) -> str:
    """The comment: the simulation, or what keeps the bot from starting with this file."""
    place = config.simulation
    checked = check(proposed, name=place.file)
    if checked.config is None:
        return _refused(checked.errors)
    owners = {name: service.team for name, service in config.services.items() if service.team is not None}
    grace = {stage.name: stage.rollout.grace for stage in config.pipeline.stages}
    found = simulate(live_history(kept.records(), teams=owners, grace=grace), checked.config, since=now - place.since, as_of=now)
    return told(found, markdown=True)


def _refused(errors: Sequence[Problem]) -> str:
    lines = [f"### The bot would not start with this configuration: {len(errors)} errors", ""]
    lines += [f"- {text(f'{one.file}:{one.line}:{one.column}: {one.what}. {one.fix}')}" for one in errors[:_SHOWN]]
    return "\n".join([*lines, *([f"- … and {len(errors) - _SHOWN} more"] if len(errors) > _SHOWN else [])])
