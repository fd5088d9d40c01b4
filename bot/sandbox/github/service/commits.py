"""Commits that the forge writes itself, and therefore signs: files onto a branch, and objects of the git database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.sandbox.github.access import Caller
from bot.sandbox.github.errors import ApiError, not_found, unprocessable
from bot.sandbox.github.git import EMPTY_TREE, ZERO, GitError, Signature
from bot.sandbox.github.service import refs
from bot.sandbox.github.service.rules import push_refusal
from bot.sandbox.github.state import Repository
from bot.sandbox.github.world import World


def commit_on_branch(
    world: World,
    repository: Repository,
    caller: Caller,
    branch: str,
    files: Mapping[str, bytes | None],
    *,
    message: str,
    expected: str | None = None,
    people: tuple[Signature, Signature] | None = None,
) -> str:
    """One commit on a branch's head. `expected` is compared first; with `people` (author, committer) it is not signed."""
    ref = f"refs/heads/{branch}"
    tip = repository.git.branch(branch)
    if tip is None:
        raise ApiError(404, f"Branch {branch} not found", graphql_type="NOT_FOUND")
    if expected is not None and expected != tip:
        said = f'Expected branch to point to "{expected}" but it did not. Pull and try again.'
        raise ApiError(409, said, graphql_type="STALE_DATA")
    for path in files:
        if not path or path.startswith("/") or any(part in ("", ".", "..", ".git") for part in path.split("/")):
            raise unprocessable(f"path contains a malformed path component: {path}")
    author, committer = people or (world.signature(caller.account), world.web_flow())
    try:
        sha = repository.git.commit_files(tip, files, message=message, author=author, committer=committer)
    except GitError as error:
        raise unprocessable(str(error)) from error
    if people is None:
        repository.verified.add(sha)
    refusal = push_refusal(repository, caller.account, ref, tip, sha)
    if refusal:
        raise ApiError(409, refusal, graphql_type="UNPROCESSABLE")
    refs.advance(world, repository, caller, ref, tip, sha)
    return sha


def first_commit(world: World, repository: Repository, caller: Caller, branch: str, files: Mapping[str, bytes | None], message: str) -> str:
    """The root commit of an empty repository."""
    author = world.signature(caller.account)
    sha = repository.git.commit_files(None, files, message=message, author=author, committer=author)
    refs.advance(world, repository, caller, f"refs/heads/{branch}", ZERO, sha)
    return sha


def write_tree(repository: Repository, base: str | None, entries: list[dict[str, Any]]) -> str:
    """A tree object: `base` with entries set (by `content` or `sha`) or removed (`sha` null). Without a base: only the entries."""
    index = repository.git.path / f"sandbox-index-{id(entries)}"
    env = {"GIT_INDEX_FILE": str(index)}
    try:
        if base is not None and repository.git.object_type(base) not in ("tree", "commit"):
            raise not_found()
        repository.git.run(["read-tree", base or EMPTY_TREE] if base else ["read-tree", "--empty"], env=env)
        lines = [_index_line(repository, entry) for entry in entries]
        repository.git.run(["update-index", "-z", "--add", "--index-info"], feed=b"".join(lines), env=env)
        return repository.git.run(["write-tree"], env=env).decode().strip()
    except GitError as error:
        raise unprocessable(f"GitRPC::BadObjectState: {error}") from error
    finally:
        index.unlink(missing_ok=True)


def _index_line(repository: Repository, entry: dict[str, Any]) -> bytes:
    path, mode = str(entry.get("path") or ""), str(entry.get("mode") or "100644")
    if not path or path.startswith("/") or any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise unprocessable("tree.path contains a malformed path component")
    if "sha" in entry and entry["sha"] is None:
        return f"0 {ZERO}\t{path}\0".encode()
    if entry.get("sha"):
        if repository.git.object_type(str(entry["sha"])) is None:
            raise unprocessable(f"tree.sha {entry['sha']} is not a valid blob")
        return f"{mode} {entry['sha']}\t{path}\0".encode()
    oid = write_blob(repository, str(entry.get("content") or "").encode())
    return f"{mode} {oid}\t{path}\0".encode()


def write_blob(repository: Repository, content: bytes) -> str:
    """A blob object."""
    return repository.git.run(["hash-object", "-w", "--stdin"], feed=content).decode().strip()


def write_commit(world: World, repository: Repository, caller: Caller, fields: dict[str, Any]) -> str:
    """A commit object; signed by the forge for an App that names neither author, committer nor signature."""
    tree, parents = str(fields.get("tree") or ""), [str(parent) for parent in fields.get("parents") or []]
    if repository.git.object_type(tree) != "tree":
        raise unprocessable("Tree SHA does not exist")
    if any(repository.git.object_type(parent) != "commit" for parent in parents):
        raise unprocessable("Parent SHA does not exist or is not a commit object")
    author = _given(fields.get("author"), world, caller)
    committer = _given(fields.get("committer") or fields.get("author"), world, caller)
    sha = repository.git.commit_tree(tree, parents, message=str(fields.get("message") or ""), author=author, committer=committer)
    if caller.through_app and not (fields.get("author") or fields.get("committer") or fields.get("signature")):
        repository.verified.add(sha)
    return sha


def _given(person: Any, world: World, caller: Caller) -> Signature:
    own = world.signature(caller.account)
    if not isinstance(person, dict):
        return own
    try:
        when = datetime.fromisoformat(str(person["date"])) if person.get("date") else own.when
    except ValueError:
        raise unprocessable(f"Invalid request.\n\n{person['date']} is not a date-time.") from None
    return Signature(name=str(person.get("name") or own.name), email=str(person.get("email") or own.email), when=when)
