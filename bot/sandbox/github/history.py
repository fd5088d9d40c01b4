"""What git knows of commits and of the difference between two of them, as records.

Reads only; the shapes that the API gives them are made in `views.commits`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from bot.sandbox.github.git import EMPTY_TREE, Git, GitError, Merge, Signature

STATES = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit object."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """One file of a difference. `patch` is None for binary files."""

    path: str
    previous: str | None
    status: str
    additions: int
    deletions: int
    blob: str
    patch: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How two commits stand to each other; `commits` are those that only the head has, oldest first."""

    merge_base: str
    ahead: tuple[str, ...]
    behind: int
    files: tuple[ChangedFile, ...]


@lru_cache(maxsize=4096)
def read_commit(git: Git, sha: str) -> Commit:
    """The commit with this full id; raises GitError where there is none."""
    raw = git.run(["cat-file", "commit", sha]).decode(errors="replace")
    head, _, message = raw.partition("\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.splitlines():
        key, _, value = line.partition(" ")
        fields.setdefault(key, []).append(value)
    return Commit(
        sha=sha,
        tree=fields["tree"][0],
        parents=tuple(fields.get("parent", [])),
        author=_signature(fields["author"][0]),
        committer=_signature(fields["committer"][0]),
        message=message.rstrip("\n"),
    )


def _signature(line: str) -> Signature:
    found = re.fullmatch(r"(.*) <(.*)> (-?\d+) [+-]\d{4}", line)
    if found is None:
        raise GitError(f"a commit names no author: {line!r}")
    return Signature(name=found[1], email=found[2], when=datetime.fromtimestamp(int(found[3]), tz=UTC))


@lru_cache(maxsize=1024)
def difference(git: Git, old: str, new: str) -> tuple[ChangedFile, ...]:
    """The files that differ between two trees or commits, with their patches (renames found, as GitHub does)."""
    flags = ["diff-tree", "-r", "-M", "--full-index", "--no-color", "-z"]
    names = git.run([*flags, "--raw", "--no-abbrev", old, new]).decode(errors="surrogateescape").split("\0")
    counts = _counts(git.run([*flags, "--numstat", old, new]).decode(errors="surrogateescape").split("\0"))
    patches = _patches(git.run(["diff-tree", "-r", "-M", "-p", "--no-color", old, new]).decode(errors="replace"))
    files: list[ChangedFile] = []
    position = 0
    while position < len(names) and names[position].startswith(":"):
        _, _, old_blob, new_blob, letter = names[position].split(" ")
        two = letter[0] in "RC"
        path = names[position + (2 if two else 1)]
        added, removed = counts.get(path, (0, 0))
        files.append(
            ChangedFile(
                path=path,
                previous=names[position + 1] if two else None,
                status=STATES.get(letter[0], "changed"),
                additions=added,
                deletions=removed,
                blob=old_blob if letter[0] == "D" else new_blob,
                patch=patches[len(files)] if len(files) < len(patches) else None,
            )
        )
        position += 3 if two else 2
    return tuple(files)


def _counts(fields: list[str]) -> dict[str, tuple[int, int]]:
    counts = {}
    position = 0
    while position < len(fields) and fields[position].strip():
        added, removed, path = fields[position].split("\t")
        if not path:
            path = fields[position + 2]
            position += 2
        position += 1
        counts[path] = (0 if added == "-" else int(added), 0 if removed == "-" else int(removed))
    return counts


def _patches(text: str) -> list[str | None]:
    """The hunks of each file, in git's order; None where git shows no text."""
    patches: list[str | None] = []
    for part in re.split(r"(?m)^diff --git ", text)[1:]:
        start = re.search(r"(?m)^@@ ", part)
        patches.append(part[start.start() :].rstrip("\n") if start else None)
    return patches


@lru_cache(maxsize=1024)
def compare(git: Git, base: str, head: str) -> Comparison | None:
    """`base...head`, or None for histories with nothing in common."""
    fork = git.merge_base(base, head)
    if fork is None:
        return None
    ahead = tuple(reversed(git.commits(f"{base}..{head}")))
    behind = len(git.commits(f"{head}..{base}"))
    return Comparison(merge_base=fork, ahead=ahead, behind=behind, files=difference(git, fork, head) if ahead else ())


def changes(git: Git, commit: Commit) -> tuple[ChangedFile, ...]:
    """What a commit changed against its first parent."""
    return difference(git, commit.parents[0] if commit.parents else EMPTY_TREE, commit.sha)


@lru_cache(maxsize=2048)
def merged(git: Git, base: str, head: str) -> Merge:
    """The three-way merge of two commits; between the same two it is always the same."""
    return git.merge(base, head)


def is_mergeable(git: Git, base: str, head: str) -> bool:
    """Whether git merges the two without a conflict."""
    return not merged(git, base, head).conflicts
