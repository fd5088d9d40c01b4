"""Carries a backfill out: walks each stage's branch, finds versions in what changed, and keeps what was found so that it can go on.

The order of work and the state file. What a change of version means is decided by `reporting.backfill`, what a file holds by `manifests`.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.adapters.git_history import LocalHistory, Walked
from bot.adapters.source_history import SourceRepositories
from bot.adapters.standing import Owner, Standing, owners_of
from bot.config.schema import Config
from bot.domain.errors import UserError
from bot.domain.history_json import event_to_json
from bot.domain.instants import format_instant, parse_instant
from bot.reporting.backfill import NOTES, Branch, Sources, StageCommit, follow, nothing_known

STATE_FORMAT = 1

Saved = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a stage is declared on this machine."""

    stage: str
    path: Path
    branch: str = "HEAD"
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All events found so far as JSON objects, upstream stages first, and the notes for the report's data quality."""

    events: list[dict[str, object]]
    notes: list[dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """One run. `tell` is given a line of progress now and then, `keep` the state after each chunk; `since` None means all.

    A chunk is so many commits.
    """

    places: Sequence[Place]
    sources: Mapping[str, Path] = field(default_factory=dict)
    config: Config | None = None
    since: datetime | None = None
    tell: Callable[[str], None] = lambda line: None
    keep: Callable[[Saved], None] = lambda state: None
    chunk: int = 500

    def run(self, saved: Saved) -> Result:
        """Follows every place from where `saved` stopped. Raises UserError where a repository cannot be read."""
        state = dict(saved)
        clones = {place.stage: LocalHistory(place.path) for place in self.places}
        heads = {place.stage: clones[place.stage].head(place.branch) for place in self.places}
        standing = {place.stage: Standing(clones[place.stage], place.folder) for place in self.places}
        owners = owners_of(self.config, {place.stage: standing[place.stage].at(heads[place.stage]) for place in self.places})
        sources = SourceRepositories(self.sources).sources() if self.sources else nothing_known()
        for place in self.places:
            self._follow(place, clones[place.stage], heads[place.stage], owners[place.stage], sources, state)
        events = [event for place in self.places for event in state[place.stage]["events"]]
        notes: list[dict[str, object]] = [
            {"stage": place.stage, "code": code, "count": count, "sentence": NOTES[code]}
            for place in self.places
            for code, count in sorted(state[place.stage]["notes"].items())
            if count
        ]
        notes += [
            {"stage": place.stage, "code": "no_version", "count": 1, "sentence": f"{place.folder or 'branch'}: {NOTES['no_version']}"}
            for place in self.places
            if not state[place.stage]["events"]
        ]
        return Result(events=events, notes=notes)

    def _follow(self, place: Place, clone: LocalHistory, head: str, owner: Owner, sources: Sources, state: Saved) -> None:
        known = state.get(place.stage)
        since = self.since
        branch = Branch(stage=place.stage)
        after: str | None = None
        events: list[dict[str, object]] = []
        if known is not None and self._goes_on(known, place):
            since = parse_instant(known["since"]) if known["since"] else None
            if clone.has(known["head"], head):
                branch, after, events = _restored(place.stage, known), known["head"], list(known["events"])
            else:
                branch.notes["rewritten"] += 1
        told_of = {"services": self._services(), "sources": sorted(self.sources)}
        settings = {"folder": place.folder, "since": format_instant(since) if since else None, **told_of}
        standing = Standing(clone, place.folder)
        commits = clone.walk(head, after=after, folder=place.folder)
        if after is not None:
            standing.start(after, owner)
        elif since is not None:
            commits = _skip(commits, standing, since)
        for start in range(0, len(commits), self.chunk):
            chunk = commits[start : start + self.chunk]
            standing.read(chunk)
            told = [StageCommit(sha=c.sha, at=c.at, message=c.message, versions=standing.apply(c, owner)) for c in chunk]
            events += [event_to_json(deploy) for deploy in follow(branch, told, sources)]
            state[place.stage] = settings | _saved(branch, chunk[-1].sha, events)
            self.keep(state)
            self.tell(f"{place.stage}: {start + len(chunk)} of {len(commits)} commits, {len(events)} events")
        branch.notes["unreadable"] = standing.unreadable
        state[place.stage] = settings | _saved(branch, head, events)
        self.keep(state)

    def _services(self) -> str:
        """A fingerprint of what the configuration says of services: under other names the same commits are other rollouts."""
        told = {name: one.model_dump(mode="json") for name, one in self.config.services.items()} if self.config is not None else None
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def _goes_on(self, known: Mapping[str, Any], place: Place) -> bool:
        """Whether the run before read the same, at least as far back and with every source of this one; else it is read anew."""
        if known["folder"] != place.folder or known.get("services", self._services()) != self._services():
            return False
        if not self.sources.keys() <= set(known.get("sources", self.sources)):
            return False
        if known["since"] is None:
            return True
        return self.since is not None and parse_instant(known["since"]) <= self.since


def _skip(commits: list[Walked], standing: Standing, since: datetime) -> list[Walked]:
    """Leaves out what is older than `since`; the last such commit becomes the baseline, with everything that stood there."""
    place = next((number for number, commit in enumerate(commits) if commit.at >= since), len(commits))
    if place == 0:
        return commits
    base = commits[place - 1]
    whole = Walked(sha=base.sha, at=base.at, author=base.author, message=base.message, files=standing.files(base.sha))
    return [whole, *commits[place:]]


def read_state(file: Path) -> Saved:
    """What an earlier run kept; empty where there is none. Raises UserError for a file that is something else."""
    if not file.exists():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] == STATE_FORMAT:
            return dict(found["stages"])
    except (ValueError, KeyError, TypeError, OSError):
        pass
    raise UserError(f"{file} is not the state of a backfill that this version understands.", fix="Start anew with --fresh.")


def write_state(file: Path, state: Saved) -> None:
    """Puts the state in the file's place in one step, so that a run that is killed leaves the old or the new one."""
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(json.dumps({"format": STATE_FORMAT, "stages": state}), encoding="utf-8")
    os.replace(fresh, file)


def _saved(branch: Branch, head: str, events: list[dict[str, object]]) -> dict[str, Any]:
    return {
        "head": head,
        "live": branch.live,
        "made": [[sha, service, deploy, before] for (sha, service), (deploy, before) in branch.made.items()],
        "promotions": branch.promotions,
        "last_at": format_instant(branch.last_at) if branch.last_at else None,
        "begun": branch.begun,
        "notes": dict(branch.notes),
        "events": list(events),
    }


def _restored(stage: str, saved: Mapping[str, Any]) -> Branch:
    return Branch(
        stage=stage,
        live=dict(saved["live"]),
        made={(sha, service): (deploy, before) for sha, service, deploy, before in saved["made"]},
        promotions=dict(saved["promotions"]),
        last_at=parse_instant(saved["last_at"]) if saved["last_at"] else None,
        begun=saved["begun"],
        notes=Counter(saved["notes"]),
    )
