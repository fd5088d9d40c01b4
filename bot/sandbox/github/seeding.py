"""Making things without HTTP: the first commit of a repository, pushes of people, Apps with their keys."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox.github.access import Caller
from bot.sandbox.github.accounts import App
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


def register_app(world: World, slug: str, owner: str, permissions: dict[str, str], events: tuple[str, ...]) -> tuple[App, str]:
    """A GitHub App and its private key as PEM, of which the server keeps only the public half."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    app = App(
        id=world.next_id(),
        slug=slug,
        owner=world.account(owner, "Organization"),
        bot=world.account(f"{slug}[bot]", "Bot"),
        client_id=f"Iv23{secrets.token_hex(8)}",
        public_key=public.decode(),
        permissions=permissions,
        events=events,
        created_at=world.now(),
    )
    world.apps[app.id] = app
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return app, private.decode()
