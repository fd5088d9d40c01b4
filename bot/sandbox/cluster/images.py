"""An image reference taken apart, and what the sandbox was told about versions of images.

Decides whether a rule ("version 1.5.0 of ghcr.io/acme/web crashes") speaks of a reference. Written apart from the
bot's own parser, so that one does not prove itself by the other.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """`registry/repository:tag@digest`; the repository is written in full (`docker.io/library/nginx`)."""

    repository: str
    tag: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What containers of a version do: `ok`, `crash`, `pull`, `hang`, or `bad_later` (crash after so many healthy seconds)."""

    name: str = "ok"
    seconds: float = 0.0


OK = Behaviour()


def image(reference: str) -> Image:
    """Takes a reference apart. Never fails: what is no reference is a repository without a tag."""
    rest, _, digest = reference.strip().partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return Image(repository=full_name(f"{head}{slash}{name}"), tag=tag, digest=digest)


def full_name(repository: str) -> str:
    """Docker Hub's short names in full; all others as they are."""
    first, slash, rest = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return f"docker.io/{rest}" if first == "index.docker.io" else repository
    return f"docker.io/{repository}" if slash else f"docker.io/library/{repository}"


def behaviour(text: str) -> Behaviour:
    """Reads `crash` or `bad_later:20`. Raises ValueError for anything else."""
    name, _, seconds = text.partition(":")
    if name not in ("ok", "crash", "pull", "hang", "bad_later") or (name == "bad_later") != bool(seconds):
        raise ValueError(f"a version can be ok, crash, pull, hang or bad_later:SECONDS, not {text!r}")
    return Behaviour(name=name, seconds=float(seconds or 0))


def matches(reference: str, repository: str, version: str) -> bool:
    """Whether the reference is that version (its tag, its digest, or `tag@digest`) of that repository."""
    found = image(reference)
    if found.repository != full_name(repository):
        return False
    tag, _, digest = version.partition("@")
    if digest:
        return (found.tag, found.digest) == (tag, digest)
    return version in (found.tag, found.digest) and bool(version)
