"""Walks a branch of a local repository from old to new and says which files each commit left, by blob id. Reads only.

One process lists the commits with what they changed (against the first parent, as the branch itself moved), one more reads the blobs.
What the files mean is left to others.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.git_objects import REGULAR, parse_blobs, parse_tree
from bot.adapters.git_process import GitAnswer, environment, run_git
from bot.domain.errors import UserError

WALK_LIMIT = timedelta(minutes=30)
_COMMIT = re.compile(rb"[0-9a-f]{40,64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One commit of the branch's own line: `at` is the committer's date (UTC); `files` are the paths it left, None for gone."""

    sha: str
    at: datetime
    author: str
    message: str
    files: tuple[tuple[str, str | None], ...]


class LocalHistory:
    """A local clone or bare repository, read by the git command."""

    def __init__(self, path: Path) -> None:
        """`path` is the work tree or the bare repository. Raises UserError where neither is there."""
        inner = path / ".git"
        if inner.is_file():
            raise UserError(
                f"{path} is a linked work tree.", why="its history is kept in another folder", fix="Name the repository that it belongs to."
            )
        self._directory = (inner if inner.is_dir() else path).absolute()
        if not (self._directory / "HEAD").exists():
            raise UserError(
                f"{path} is no git repository.",
                why="there is no .git and no HEAD in it" if path.is_dir() else "there is no such folder",
                fix="Name a clone or a bare repository on this machine.",
            )

    def head(self, branch: str) -> str:
        """The commit that a branch, tag or commit name stands for; UserError where there is none."""
        return self._git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{branch}^{{commit}}"], told=branch).decode().strip()

    def has(self, older: str, newer: str) -> bool:
        """Whether `older` is an ancestor of `newer`; a commit that is gone is none."""
        return self._run(["merge-base", "--is-ancestor", older, newer]).ok

    def files(self, commit: str, folder: str) -> dict[str, str]:
        """Every file below the folder at a commit: path (from the repository's root) -> blob id."""
        out = self._git(["ls-tree", "-r", "-z", "-l", "--full-tree", commit, *([folder] if folder else [])], told=commit)
        return {entry.path: entry.blob for entry in parse_tree(out, folder) if entry.mode in REGULAR}

    def walk(self, until: str, *, after: str | None, folder: str) -> list[Walked]:
        """The commits of the branch's own line after `after` (None: from its beginning) that changed something below the folder."""
        span = [f"{after}..{until}"] if after else [until]
        limits = ["--first-parent", "--reverse", "-z", *span]
        below = ["--", folder] if folder else []
        listed = ["--diff-merges=first-parent", "--raw", "--no-abbrev", "--no-renames", "--format=%H"]
        raw = self._git(["log", *limits, *listed, *below], told=until)
        changed = _parse_changes(raw)
        told = self._git(["log", *limits, "--no-patch", "--format=%H%n%ct%n%aN <%aE>%n%B"], told=until)
        return [
            Walked(sha=sha, at=at, author=author, message=message, files=tuple(changed[sha]))
            for sha, at, author, message in _parse_messages(told)
            if sha in changed
        ]

    def blobs(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of blobs by their ids."""
        return parse_blobs(self._git(["cat-file", "--batch"], told="blobs", feed="".join(f"{one}\n" for one in ids).encode()))

    def commits_between(self, older: str, newer: str) -> list[tuple[str, datetime]]:
        """The commits that `newer` has and `older` has not, without merges: id and author date (UTC)."""
        out = self._git(["log", "--no-merges", "--format=%H %at", f"{older}..{newer}"], told=f"{older}..{newer}").decode()
        return [(sha, datetime.fromtimestamp(int(at), UTC)) for sha, at in (line.split() for line in out.splitlines())]

    def told_between(self, older: str, newer: str) -> str:
        """The same with merges, NUL after each: id, parents, author's and committer's seconds, subject, body, apart by U+001F."""
        form = "--format=%H%x1f%P%x1f%at%x1f%ct%x1f%s%x1f%b"
        return self._git(["log", "-z", form, f"{older}..{newer}"], told=f"{older}..{newer}").decode(errors="replace")

    def tags(self) -> dict[str, str]:
        """Every tag with the commit it stands for."""
        out = self._git(["for-each-ref", "--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)", "refs/tags"], told="tags")
        rows = (line.split("\0") for line in out.decode(errors="replace").splitlines())
        return {name: peeled or direct for name, direct, peeled in rows}

    def _git(self, arguments: Sequence[str], *, told: str, feed: bytes = b"") -> bytes:
        answer = self._run(arguments, feed)
        if not answer.ok:
            why = answer.err.strip().splitlines()[-1] if answer.err.strip() else "it took too long" if answer.timed_out else "not found"
            raise UserError(f"git cannot read {told} in {self._directory}.", why=why, fix="Check the path and the branch's name.")
        return answer.out

    def _run(self, arguments: Sequence[str], feed: bytes = b"") -> GitAnswer:
        return run_git(self._directory, arguments, env=environment([]), feed=feed, limit=WALK_LIMIT)


def _parse_changes(raw: bytes) -> dict[str, list[tuple[str, str | None]]]:
    """`git log -z --raw --format=%H`: a commit id, then pairs of `:modes ids status` and path, all ended by NUL."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    parts = iter(raw.split(b"\0"))
    files: list[tuple[str, str | None]] = []
    for raw_part in parts:
        part = raw_part.strip(b"\n")
        if part.startswith(b":"):
            path = next(parts, b"")
            mode, blob = part.split(b" ")[1], part.split(b" ")[3]
            regular = mode.decode() in REGULAR
            files.append((path.decode("utf-8", "backslashreplace"), blob.decode() if regular else None))
        elif _COMMIT.match(part):
            files = found.setdefault(part.decode(), [])
    return found


def _parse_messages(raw: bytes) -> Iterable[tuple[str, datetime, str, str]]:
    for record in raw.split(b"\0"):
        if not record.strip():
            continue
        sha, seconds, author, message = record.decode("utf-8", "replace").lstrip("\n").split("\n", 3)
        yield sha, datetime.fromtimestamp(int(seconds), UTC), author, message
