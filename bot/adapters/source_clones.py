"""Clones of source repositories, with their tags: which commits and pull requests lie between two versions of a service.

Decides which commit a version was built from (its tag, the commit id in it, or what its image says of itself), and replaces a squash
commit by the pull request's own commits, whose dates are when the work was done. What is not found is not known, and never guessed.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.git_errors import remote_error, sentence
from bot.adapters.git_history import LocalHistory
from bot.adapters.git_process import run_git
from bot.adapters.git_remote import Remote
from bot.adapters.source_history import look_up
from bot.domain.carried import Carried
from bot.domain.errors import TransientError, UserError
from bot.domain.history import CommitRef, PullRef
from bot.domain.image import Version

REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
MOST_PULLS = 200
_SQUASHED = re.compile(r"\(#(\d{1,9})\)\s*$")
_MERGED = re.compile(r"Merge pull request #(\d{1,9}) from ")
_REVERTS = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?#(\d{1,9})\s*$", re.MULTILINE)
_REVERT_OF = re.compile(r'^Revert ".*\(#(\d{1,9})\)"')
Labelled = Callable[[str, Version], str | None]
"""Image and version -> the revision in the image's label `org.opencontainers.image.revision`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commit:
    sha: str
    parents: tuple[str, ...]
    at: datetime
    landed: datetime
    subject: str
    body: str


class SourceClones:
    """All source repositories, below `root`. Used by one thread at a time."""

    def __init__(self, root: Path, remote: Remote, labelled: Labelled) -> None:
        self._root = root
        self._remote = remote
        self._labelled = labelled

    def refresh(self, repository: str) -> None:
        """Clone or fetch. Raises what git's remotes raise: `UserError` or `TransientError`."""
        directory = self.directory(repository)
        if not (directory / "HEAD").exists():
            directory.mkdir(parents=True, exist_ok=True)
            self._run(directory, ["init", "--quiet", "--bare", "--template="], repository)
            self._run(directory, ["config", "remote.origin.url", self._remote.address(repository)], repository)
        self._fetch(directory, repository, ["--prune", "origin", *REFSPECS])

    def carried(self, repository: str, service: str, image: str, old: Version, new: Version) -> Carried:
        """What `new` has and `old` has not, as of the last `refresh`."""
        clone = LocalHistory(self.directory(repository))
        tags = clone.tags()
        ends: list[str] = []
        for version in (old, new):
            commit = self._resolve(clone, tags, service, image, version)
            if commit is None:
                return Carried(problem=f"{repository} has no tag or commit for {version}, and its image names none")
            ends.append(commit)
        older, newer = ends
        if older == newer or clone.has(newer, older):
            return Carried()
        if not clone.has(older, newer):
            return Carried(problem=f"{new} does not descend from {old} in {repository}: what it brought cannot be told")
        listed = _parsed(clone.told_between(older, newer))
        self._fetch_pulls(repository, [int(found[1]) for one in listed if (found := _SQUASHED.search(one.subject)) and _plain(one)])
        return _told(clone, listed)

    def _resolve(self, clone: LocalHistory, tags: dict[str, str], service: str, image: str, version: Version) -> str | None:
        found = look_up(clone, tags, service, version.tag or "")
        if found is not None:
            return found
        revision = self._labelled(image, version) if image else None
        if revision is None or not re.fullmatch(r"[0-9a-f]{7,64}", revision):
            return None
        try:
            return clone.head(revision)
        except UserError:
            return None

    def _fetch_pulls(self, repository: str, numbers: Iterable[int]) -> None:
        """Brings the heads of pull requests; one that is gone leaves the squash commit as it is."""
        directory = self.directory(repository)
        wanted = [number for number in dict.fromkeys(numbers) if not self._has_pull(directory, number)][:MOST_PULLS]
        if not wanted:
            return
        try:
            self._fetch(directory, repository, ["origin", *map(_pull_ref, wanted)])
        except UserError:
            for number in wanted if len(wanted) > 1 else ():
                self._fetch_pulls(repository, [number])

    def _has_pull(self, directory: Path, number: int) -> bool:
        arguments = ["rev-parse", "--verify", "--quiet", f"refs/pull/{number}/head"]
        return run_git(directory, arguments, env=self._remote.local_env()).ok

    def _fetch(self, directory: Path, repository: str, arguments: Sequence[str]) -> None:
        fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", *arguments]
        answer = self._remote.talk(directory, repository, fetch, verb="fetch")
        if answer.ok:
            return
        if "couldn't find remote ref" in answer.err:
            raise UserError(f"{repository} does not have {sentence(answer.err)}.")
        raise remote_error(answer, self._remote.asked(repository, write=False))

    def _run(self, directory: Path, arguments: Sequence[str], repository: str) -> None:
        answer = run_git(directory, arguments, env=self._remote.local_env())
        if not answer.ok:
            raise TransientError(f"No clone of {repository} can be made: {sentence(answer.err)}")

    def directory(self, repository: str) -> Path:
        """Where its bare clone is, or will be."""
        self._remote.address(repository)
        return self._root / f"{repository.replace('/', '+')}.git"


def _told(clone: LocalHistory, listed: Sequence[_Commit]) -> Carried:
    commits: dict[str, CommitRef] = {}
    pulls: dict[int, PullRef] = {}
    reverted: list[int] = []
    for one in listed:
        text = [_REVERTS.search(one.body), _REVERT_OF.search(one.subject)]
        reverted += [int(found[1]) for found in text if found][:1]
        squashed, merged = _SQUASHED.search(one.subject), _MERGED.match(one.subject)
        if len(one.parents) > 1:
            if merged:
                brought = clone.commits_between(one.parents[0], one.sha)
                pulls[int(merged[1])] = PullRef(number=int(merged[1]), merged_at=one.landed, commits=tuple(sha for sha, _ in brought))
            continue
        own = _own(clone, one, int(squashed[1])) if squashed else []
        for sha, at in own or [(one.sha, one.at)]:
            commits.setdefault(sha, CommitRef(sha=sha, at=at))
        if squashed:
            shas = tuple(sha for sha, _ in own) or (one.sha,)
            pulls[int(squashed[1])] = PullRef(number=int(squashed[1]), merged_at=one.landed, commits=shas)
    return Carried(commits=tuple(commits.values()), prs=tuple(pulls.values()), reverts_prs=tuple(dict.fromkeys(reverted)))


def _own(clone: LocalHistory, squash: _Commit, number: int) -> list[tuple[str, datetime]]:
    """The pull request's own commits; nothing where its head is not there."""
    try:
        head = clone.head(f"refs/pull/{number}/head")
        return clone.commits_between(squash.parents[0], head) if squash.parents else []
    except UserError:
        return []


def _plain(one: _Commit) -> bool:
    return len(one.parents) == 1


def _pull_ref(number: int) -> str:
    return f"+refs/pull/{number}/head:refs/pull/{number}/head"


def _parsed(out: str) -> list[_Commit]:
    found = []
    for record in filter(None, out.split("\0")):
        sha, parents, at, landed, subject, body = record.split("\x1f", 5)
        found.append(
            _Commit(
                sha=sha.strip(),
                parents=tuple(parents.split()),
                at=datetime.fromtimestamp(int(at), UTC),
                landed=datetime.fromtimestamp(int(landed), UTC),
                subject=subject,
                body=body,
            )
        )
    return found
