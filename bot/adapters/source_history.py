"""What local clones of source repositories tell about versions: which commits a version brought, and which of two is the ancestor.

A version is found by its tag (`1.4.2` or `v1.4.2`) or by the commit id in it (`main-3f9c2d1`). One that is not found is not known;
it is never guessed.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from bot.adapters.git_history import LocalHistory
from bot.domain.errors import UserError
from bot.domain.history import CommitRef
from bot.domain.image import Version
from bot.reporting.backfill import Sources

_HASH = re.compile(r"(?:^|[-_.])(?:g|sha-?)?([0-9a-f]{7,40})$")


class SourceRepositories:
    """Clones by service."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        """`paths` maps services to repositories. Raises UserError where one is none."""
        self._clones = {service: LocalHistory(path) for service, path in paths.items()}
        self._tags = {service: clone.tags() for service, clone in self._clones.items()}
        self._found: dict[tuple[str, str], str | None] = {}

    def sources(self) -> Sources:
        """The questions that a backfill asks."""
        return Sources(commits=self.commits, is_older=self.is_older)

    def commits(self, service: str, old: str, new: str) -> tuple[CommitRef, ...] | None:
        """What `new` has and `old` has not, without merges; None where either is not known."""
        older, newer = self._resolve(service, old), self._resolve(service, new)
        if older is None or newer is None:
            return None
        return tuple(CommitRef(sha=sha, at=at) for sha, at in self._clones[service].commits_between(older, newer))

    def is_older(self, service: str, old: str, new: str) -> bool | None:
        """Whether `new` is an ancestor of `old`; None where it is not known, or neither is an ancestor of the other."""
        older, newer = self._resolve(service, old), self._resolve(service, new)
        if older is None or newer is None or older == newer:
            return None
        if self._clones[service].has(newer, older):
            return True
        return False if self._clones[service].has(older, newer) else None

    def _resolve(self, service: str, version: str) -> str | None:
        if service not in self._clones:
            return None
        key = (service, version)
        if key not in self._found:
            self._found[key] = self._look_up(service, Version.parse(version).tag or "")
        return self._found[key]

    def _look_up(self, service: str, tag: str) -> str | None:
        return look_up(self._clones[service], self._tags[service], service, tag)


def look_up(clone: LocalHistory, tags: Mapping[str, str], service: str, tag: str) -> str | None:
    """The commit of a version: by its tag, or by the commit id in it; None where neither is there."""
    for name in (tag, f"v{tag}", tag.removeprefix("v"), f"{service}-{tag}", f"{service}/{tag}"):
        if name in tags:
            return tags[name]
    named = _HASH.search(tag)
    if named is None:
        return None
    try:
        return clone.head(named[1])
    except UserError:
        return None
