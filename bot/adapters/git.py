"""Environment repositories as bare clones, kept by the git command: reading costs no API call.

Decides when the network is asked (`refresh` and `push` only), when a clone is made anew, and how two callers share one fetch.
It leaves to others what a file means and what shall be written. Several threads and processes may share `root`.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath

from bot.adapters.git_clone import Clone, Clones
from bot.adapters.git_errors import Trouble, push_error, trouble
from bot.adapters.git_objects import FOLDER, LOG_FORMAT, REGULAR, check_path, import_stream, modes_for, parse_blobs, parse_log, parse_tree
from bot.adapters.git_remote import Remote, check_branch
from bot.domain.errors import Stale, TransientError, UserError
from bot.ports import CommitInfo, TreeEntry

IDENTITY = "promotion-bot <promotion-bot@localhost>"
_ID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")


class GitRepositories:
    """Implements `Repositories` on the git command. `identity` is "name <address>", author and committer of our commits.

    `may_push` is asked right before each push, with the repository and whether it is urgent (None: it only deletes); it raises if not.
    """

    def __init__(
        self,
        root: Path,
        remote: Remote,
        *,
        identity: str = IDENTITY,
        may_push: Callable[[str, bool | None], None] = lambda _repository, _urgent: None,
    ) -> None:
        self._remote = remote
        self._clones = Clones(root, remote)
        self._identity = identity
        self._may_push = may_push

    def refresh(self, repository: str) -> Mapping[str, str]:
        """Fetch; the branches of the remote, each with its commit. Callers that wait for the same repository share one fetch."""
        return dict(self._clones.refresh(repository))

    def heads(self, repository: str) -> Mapping[str, str]:
        """The branches as of the last fetch; a repository that was never seen is cloned."""
        return dict(self._clones.heads(repository))

    def directory(self, repository: str) -> Path:
        """Where its bare clone is; a repository that was never seen is cloned."""
        return self._clones.ready(repository).directory

    def tree(self, repository: str, commit: str, folder: str = "") -> Sequence[TreeEntry]:
        """All files of a commit under a folder, symbolic links and submodules included (see their mode)."""
        folder = folder.strip("/")
        if folder:
            check_path(folder)
        arguments = ["ls-tree", "-r", "-z", "-l", "--full-tree", _id(commit), *([folder] if folder else [])]
        return parse_tree(self._clones.run(repository, arguments, commits=(commit,)), folder)

    def entries(self, repository: str, commit: str, paths: Iterable[str]) -> Sequence[TreeEntry]:
        """What stands at these paths of a commit, in one git process; a path at which nothing stands is left out."""
        wanted = set(paths)
        return [entry for path, entry in self._entries(repository, commit, wanted).items() if path in wanted]

    def blobs(self, repository: str, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Contents by blob id, in one git process. `TransientError` when one of them is not in the clone."""
        wanted = list(dict.fromkeys(_id(blob) for blob in ids))
        if not wanted:
            return {}
        feed = "".join(f"{blob}\n" for blob in wanted).encode()
        found = parse_blobs(self._clones.run(repository, ["cat-file", "--batch"], feed=feed))
        missing = [blob for blob in wanted if blob not in found]
        if missing:
            raise TransientError(f"The clone of {repository} lacks blob {missing[0][:12]}; it is read again after the next fetch.")
        return found

    def read(self, repository: str, commit: str, path: str) -> bytes | None:
        """One file at a commit; None when no file is there. `UserError` for a symbolic link or submodule: they are never followed."""
        entry = self._entries(repository, commit, [path]).get(path)
        if entry is None or entry.mode == FOLDER:
            return None
        if entry.mode not in REGULAR:
            modes_for([path], {path: entry})
        return self.blobs(repository, [entry.blob])[entry.blob]

    def log(self, repository: str, *, after: str | None, until: str, paths: Sequence[str] = (), limit: int = 200) -> Sequence[CommitInfo]:
        """Commits reachable from `until` and not from `after`, newest first; those that touch `paths` where given."""
        known = (until,) if after is None else (until, after)
        span = [_id(until)] if after is None else [_id(until), f"^{_id(after)}"]
        arguments = ["log", "-z", f"--format={LOG_FORMAT}", f"--max-count={max(limit, 0)}", *span, "--", *paths]
        return parse_log(self._clones.run(repository, arguments, commits=known))

    def changed(self, repository: str, before: str, after: str) -> Sequence[str]:
        """Paths that differ between two commits, a rename as both of its paths."""
        arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", _id(before), _id(after)]
        out = self._clones.run(repository, arguments, commits=(before, after))
        return [path.decode("utf-8", "backslashreplace") for path in out.split(b"\0") if path]

    def is_ancestor(self, repository: str, older: str, newer: str) -> bool:
        """True when `older` is `newer` or one of its ancestors. `Stale` when one of them is in no branch any more."""
        arguments = ["merge-base", "--is-ancestor", _id(older), _id(newer)]
        return self._clones.ask(repository, arguments, commits=(older, newer))

    def commit(self, repository: str, *, parent: str, files: Mapping[str, bytes], message: str, at: datetime) -> str:
        """Write a commit object locally, with our identity and this date: the same input gives the same id.

        A file keeps its mode. `UserError` where a symbolic link, submodule or folder stands in the way.
        """
        modes = self._modes(repository, parent, files)
        stream = import_stream(
            ref=f"refs/promotion-bot/{uuid.uuid4().hex}",
            parent=_id(parent),
            files=files,
            modes=modes,
            message=message,
            identity=self._identity,
            at=at,
        )
        out = self._clones.run(repository, ["fast-import", "--quiet"], feed=stream, commits=(parent,))
        return out.decode().strip()

    def push(self, repository: str, updates: Mapping[str, tuple[str | None, str | None]], *, urgent: bool = False) -> None:
        """All branches at once, or none, each only if it stands at its expected commit. Doing it twice is one push and a no-op.

        `Stale`: one stood elsewhere. `Refused`: a rule or a missing permission. `OutcomeUnknown`: fetch before any repeat. `RateLimited`:
        nothing was sent.
        """
        leases, refs = [], []
        for branch, (old, new) in updates.items():
            check_branch(branch)
            if old == new:
                continue
            ref = f"refs/heads/{branch}"
            leases.append(f"--force-with-lease={ref}:{_id(old) if old else ''}")
            refs.append(f"{_id(new) if new else ''}:{ref}")
        if refs:
            clone = self._clones.ready(repository)
            self._have(repository, [new for _, new in updates.values() if new])
            with self._clones.exclusive(clone):
                self._may_push(repository, urgent if any(new for _, new in updates.values()) else None)
                self._push(clone, ["push", "--porcelain", "--atomic", "--no-verify", *leases, "origin", *refs])
                self._clones.reload(clone)

    def _push(self, clone: Clone, arguments: Sequence[str]) -> None:
        answer = self._remote.talk(clone.directory, clone.repository, arguments, verb="push")
        if answer.ok:
            return
        text = answer.err
        if trouble(text) is Trouble.CORRUPT and "remote:" not in text and not answer.out:
            self._clones.renew(clone)
            raise TransientError(f"The clone of {clone.repository} was damaged and has been made anew; nothing was pushed.")
        raise push_error(answer, self._remote.asked(clone.repository, write=True))

    def _have(self, repository: str, commits: Sequence[str]) -> None:
        """`Stale` when one of the commits is not in the clone (any more)."""
        feed = "".join(f"{_id(commit)}\n" for commit in commits).encode()
        for line in self._clones.run(repository, ["cat-file", "--batch-check"], feed=feed).decode().splitlines():
            if not line.split()[1:2] == ["commit"]:
                raise Stale(f"Commit {line[:12]}, which was to be pushed, is not in the clone of {repository} any more.")

    def _entries(self, repository: str, commit: str, paths: Iterable[str]) -> dict[str, TreeEntry]:
        """What stands at these paths; folders on the way are listed too."""
        wanted = list(paths)
        for path in wanted:
            check_path(path)
        if not wanted:
            return {}
        arguments = ["ls-tree", "-t", "-z", "-l", "--full-tree", _id(commit), "--", *wanted]
        return {entry.path: entry for entry in parse_tree(self._clones.run(repository, arguments, commits=(commit,)))}

    def _modes(self, repository: str, parent: str, paths: Iterable[str]) -> dict[str, str]:
        """The mode of each file to be written. A file or symbolic link in the place of a folder would silently be replaced: `UserError`."""
        wanted = list(paths)
        for path in wanted:
            check_path(path)
        above = {str(folder) for path in wanted for folder in PurePosixPath(path).parents} - {"."}
        entries = self._entries(repository, parent, [*wanted, *sorted(above)])
        for path in above & entries.keys():
            entry = entries[path]
            if entry.mode != FOLDER:
                modes_for([path], {path: entry})
                raise UserError(f"'{path}' is a file, not a folder.", fix="Name another path.", code="NotARegularFile")
        return modes_for(wanted, entries)


def _id(text: str) -> str:
    """The text, if it is a whole object id: nothing else ever stands where git would take an option or a revision."""
    if not _ID.match(text):
        raise UserError(f"{text[:80]!a} is not a commit id.", fix="Give the full hexadecimal id.", code="ObjectId")
    return text
