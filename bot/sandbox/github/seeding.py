"""Putting files into repositories without HTTP: the first commit, and pushes of people."""

from collections.abc import Mapping
from pathlib import Path

from bot.sandbox.github.access import Caller
from bot.sandbox.github.git import ZERO
from bot.sandbox.github.service import refs
from bot.sandbox.github.state import Repository
from bot.sandbox.github.world import World


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path from there with forward slashes; `.git` is left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and ".git" not in name.parts:
            found[name.as_posix()] = path.read_bytes()
    return found


def as_bytes(files: Mapping[str, bytes | str | None]) -> dict[str, bytes | None]:
    """Texts become UTF-8; None deletes."""
    return {path: content.encode() if isinstance(content, str) else content for path, content in files.items()}


def first_files(world: World, repository: Repository, seed: Path | Mapping[str, bytes | str] | None) -> None:
    """The first commit, made by the owner; an empty seed leaves the repository empty."""
    files = as_bytes(files_below(seed)) if isinstance(seed, Path) else as_bytes(seed or {})
    if not files:
        return
    author = world.signature(repository.owner)
    sha = repository.git.commit_files(None, files, message="Initial commit", author=author, committer=author)
    branch = f"refs/heads/{repository.settings.default_branch}"
    refs.advance(world, repository, Caller(account=repository.owner), branch, ZERO, sha)


def push_files(
    world: World,
    repository: Repository,
    caller: Caller,
    branch: str,
    files: Mapping[str, bytes | str | None],
    message: str,
    base: str | None,
    *,
    force: bool,
) -> str:
    """One commit, pushed; LookupError where `base` names nothing."""
    git = repository.git
    tip = git.branch(branch)
    start = base or repository.settings.default_branch
    parent = git.commit_of(start) if force or tip is None else tip
    if parent is None and git.refs():
        raise LookupError(f"{start} names no commit in {repository.full_name}")
    author = world.signature(caller.account)
    sha = git.commit_files(parent, as_bytes(files), message=message, author=author, committer=author)
    refs.advance(world, repository, caller, f"refs/heads/{branch}", tip or ZERO, sha)
    return sha
