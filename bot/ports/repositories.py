"""Git: a bare clone per environment repository."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One file of a commit. `mode` is git's ("100644", "120000" is a symbolic link, "160000" a submodule); `size` in bytes."""

    path: str
    blob: str
    mode: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitInfo:
    """One commit; `at` is the author date (UTC), `author` a name, `email` an address."""

    sha: str
    parents: tuple[str, ...]
    author: str
    email: str
    at: datetime
    subject: str
    body: str = ""


class Repositories(Protocol):
    """A bare clone per environment repository, kept by git's own protocol: reading costs no API call."""

    def refresh(self, repository: str) -> Mapping[str, str]:
        """Fetch; the branches of the remote, each with its commit."""
        ...

    def heads(self, repository: str) -> Mapping[str, str]:
        """The branches as of the last fetch, without asking the remote."""
        ...

    def tree(self, repository: str, commit: str, folder: str = "") -> Sequence[TreeEntry]:
        """All files of a commit under a folder; paths count from the repository's root."""
        ...

    def entries(self, repository: str, commit: str, paths: Iterable[str]) -> Sequence[TreeEntry]:
        """What stands at these paths of a commit; a path at which nothing stands is left out."""
        ...

    def blobs(self, repository: str, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Contents by blob id, in one git process."""
        ...

    def read(self, repository: str, commit: str, path: str) -> bytes | None:
        """One file at a commit; None when it is not there."""
        ...

    def log(self, repository: str, *, after: str | None, until: str, paths: Sequence[str] = (), limit: int = 200) -> Sequence[CommitInfo]:
        """Commits reachable from `until` and not from `after`, newest first."""
        ...

    def changed(self, repository: str, before: str, after: str) -> Sequence[str]:
        """Paths that differ between two commits."""
        ...

    def is_ancestor(self, repository: str, older: str, newer: str) -> bool:
        """True when `older` is `newer` or one of its ancestors."""
        ...

    def commit(self, repository: str, *, parent: str, files: Mapping[str, bytes], message: str, at: datetime) -> str:
        """Write a commit object locally, with our identity and this date: the same input gives the same id."""
        ...

    def push(self, repository: str, updates: Mapping[str, tuple[str | None, str | None]], *, urgent: bool = False) -> None:
        """All branches at once and atomically, each from its expected old commit (None: must not exist) to the new (None: delete).

        `Stale` when one of them stood elsewhere; `Refused` when a rule of the forge forbids it; `RateLimited` when there were too many
        pushes just now: what is `urgent` goes first, what only deletes never waits.
        """
        ...
