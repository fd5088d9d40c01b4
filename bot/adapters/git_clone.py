"""One bare clone per repository: made, fetched, kept whole, and made anew when it is damaged.

Decides which process may write to a clone (one lock per repository, over threads and processes), when callers share a fetch, and
what a local git failure means: an id that we do not have is `Stale`, everything else is a damaged clone, which is replaced once.
"""

import fcntl
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from bot.adapters.git_errors import Trouble, disk_error, remote_error, sentence, trouble
from bot.adapters.git_process import GitAnswer, run_git
from bot.adapters.git_remote import Remote
from bot.domain.errors import Stale, TransientError

REFSPEC = "+refs/heads/*:refs/remotes/origin/*"
TRACKING = "refs/remotes/origin/"
TIDY_EVERY = 500
TIDY_LIMIT = timedelta(minutes=10)


@dataclass(slots=True, kw_only=True)
class Clone:
    """`started` and `finished` number the fetches; `generation` counts how often the clone was made anew."""

    repository: str
    directory: Path
    lock: threading.RLock = field(default_factory=threading.RLock)
    started: int = 0
    finished: int = 0
    generation: int = 0
    whole: bool = False
    depth: int = 0
    heads: Mapping[str, str] = field(default_factory=dict)


class Clones:
    """All clones below `root`, which is created when missing."""

    def __init__(self, root: Path, remote: Remote) -> None:
        self._root = root
        self._remote = remote
        self._lock = threading.Lock()
        self._clones: dict[str, Clone] = {}

    def ready(self, repository: str) -> Clone:
        """The clone of a repository, made now if there is none (or one of another address)."""
        with self._lock:
            clone = self._clones.get(repository)
            if clone is None:
                self._remote.address(repository)
                clone = Clone(repository=repository, directory=self._root / f"{repository.replace('/', '+')}.git")
                self._clones[repository] = clone
        if not clone.whole:
            with self.exclusive(clone):
                self._make(clone)
        return clone

    def refresh(self, repository: str) -> Mapping[str, str]:
        """Fetch, unless a fetch that began after this call has just ended."""
        with self._lock:
            known = self._clones.get(repository)
            wanted = (known.started if known is not None else 0) + 1
        clone = self.ready(repository)
        with self.exclusive(clone):
            if clone.finished < wanted:
                self._fetch(clone)
            return clone.heads

    def heads(self, repository: str) -> Mapping[str, str]:
        return self.ready(repository).heads

    def run(self, repository: str, arguments: Sequence[str], *, feed: bytes = b"", commits: Sequence[str] = ()) -> bytes:
        """A local git process; `commits` are the ids it is about. `Stale` when one of them is unknown here."""
        return self._local(repository, arguments, feed=feed, commits=commits, accept=(0,)).out

    def ask(self, repository: str, arguments: Sequence[str], *, commits: Sequence[str]) -> bool:
        """A local git process that answers yes (0) or no (1)."""
        return self._local(repository, arguments, feed=b"", commits=commits, accept=(0, 1)).status == 0

    def renew(self, clone: Clone) -> None:
        """Throw the clone away and make it anew."""
        with self.exclusive(clone):
            clone.whole = False
            self._remove(clone.directory)
            self._make(clone)

    def reload(self, clone: Clone) -> None:
        """Read the branches from the clone: a push has moved them."""
        answer = self._git(clone, ["for-each-ref", "--format=%(objectname) %(refname)", TRACKING])
        heads = {}
        for line in answer.out.decode("utf-8", "backslashreplace").splitlines():
            sha, _, ref = line.partition(" ")
            if ref != f"{TRACKING}HEAD":
                heads[ref.removeprefix(TRACKING)] = sha
        clone.heads = heads

    @contextmanager
    def exclusive(self, clone: Clone) -> Iterator[None]:
        """Alone on this clone, over all threads and processes; the same thread may enter again."""
        with clone.lock:
            if clone.depth:
                yield
                return
            with self._lock_file(clone) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                clone.depth += 1
                try:
                    yield
                finally:
                    clone.depth -= 1

    def _lock_file(self, clone: Clone) -> TextIO:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            return clone.directory.with_suffix(".lock").open("w")
        except OSError as error:
            raise disk_error(f"{error.strerror}: {self._root}") from error

    def _local(
        self, repository: str, arguments: Sequence[str], *, feed: bytes, commits: Sequence[str], accept: tuple[int, ...]
    ) -> GitAnswer:
        answer = GitAnswer(status=-1, out=b"", err="")
        for _ in range(2):
            clone = self.ready(repository)
            generation = clone.generation
            answer = self._git(clone, arguments, feed)
            if answer.status in accept and not answer.timed_out:
                return answer
            if answer.timed_out:
                raise TransientError(f"git did not finish in time on the clone of {repository}.")
            if trouble(answer.err) is Trouble.DISK:
                raise disk_error(sentence(answer.err))
            for commit in commits:
                self._know(clone, commit)
            with self.exclusive(clone):
                if clone.generation == generation:
                    self.renew(clone)
        raise TransientError(f"The clone of {repository} cannot be read: {sentence(answer.err)}")

    def _know(self, clone: Clone, commit: str) -> None:
        """`Stale` when this commit is simply not here; a branch's own commit that is missing means damage."""
        if commit in clone.heads.values():
            return
        answer = self._git(clone, ["cat-file", "-e", f"{commit}^{{commit}}"])
        if not answer.ok and clone.directory.exists() and trouble(answer.err) is not Trouble.CORRUPT:
            raise Stale(f"Commit {commit[:12]} is not in {clone.repository} any more; its branches are read again.")

    def _fetch(self, clone: Clone) -> None:
        clone.started += 1
        mine = clone.started
        arguments = ["fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "origin"]
        answer = self._remote.talk(clone.directory, clone.repository, [*arguments, REFSPEC], verb="fetch")
        if answer.ok:
            self.reload(clone)
        elif trouble(answer.err) is Trouble.CORRUPT:
            self.renew(clone)
        else:
            raise remote_error(answer, self._remote.asked(clone.repository, write=False))
        clone.finished = mine
        if mine % TIDY_EVERY == 0:
            tidy = ["-c", "gc.auto=2000", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"]
            run_git(clone.directory, tidy, env=self._remote.local_env(), limit=TIDY_LIMIT)

    def _make(self, clone: Clone) -> None:
        """Take over the clone on disk if it is one of this address, else clone into a folder beside it and put that in place."""
        if clone.whole:
            return
        url = self._remote.address(clone.repository)
        if clone.directory.exists():
            answer = self._git(clone, ["config", "--get", "remote.origin.url"])
            if answer.ok and answer.out.decode().strip() == url:
                self.reload(clone)
                clone.whole = True
                return
        fresh = clone.directory.with_suffix(f".{uuid.uuid4().hex}.tmp")
        try:
            self._clone_into(fresh, clone, url)
            self._remove(clone.directory)
            fresh.rename(clone.directory)
        finally:
            self._remove(fresh)
        clone.generation += 1
        clone.started += 1
        clone.finished = clone.started
        self.reload(clone)
        clone.whole = True

    def _clone_into(self, fresh: Path, clone: Clone, url: str) -> None:
        env = self._remote.local_env()
        for arguments in (
            ["init", "--quiet", "--bare", "--template="],
            ["config", "remote.origin.url", url],
            ["config", "remote.origin.fetch", REFSPEC],
            ["config", "remote.origin.followRemoteHEAD", "never"],
        ):
            answer = run_git(fresh, arguments, env=env)
            if not answer.ok:
                raise TransientError(f"No clone of {clone.repository} can be made: {sentence(answer.err)}")
        answer = self._remote.talk(fresh, clone.repository, ["fetch", "--quiet", "--no-tags", "origin", REFSPEC], verb="fetch")
        if not answer.ok:
            raise remote_error(answer, self._remote.asked(clone.repository, write=False))

    def _git(self, clone: Clone, arguments: Sequence[str], feed: bytes = b"") -> GitAnswer:
        return run_git(clone.directory, arguments, env=self._remote.local_env(), feed=feed)

    def _remove(self, directory: Path) -> None:
        shutil.rmtree(directory, ignore_errors=True)
