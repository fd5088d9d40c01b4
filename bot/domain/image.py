"""Image references and versions: how they are written, and when two of them mean the same image.

Decides from text alone. The grammar is the distribution project's (https://pkg.go.dev/github.com/distribution/reference):
`[registry[:port]/]path[:tag][@digest]`. Which of two versions is newer is left to others.
"""

import re
from dataclasses import dataclass

DEFAULT_REGISTRY = "docker.io"
OFFICIAL = "library/"
DIGEST_SHOWN = 12

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*\Z")
_REGISTRY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}\Z")
_KNOWN_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})\Z")
LONGEST_NAME = 255


def valid_tag(text: str) -> bool:
    """True for a tag of the OCI grammar: 1 to 128 of letters, digits, `_`, `.`, `-`, not starting with `.` or `-`."""
    return _TAG.match(text) is not None


def valid_digest(text: str) -> bool:
    """True for a whole digest of an algorithm that registries verify: sha256 or sha512, lower case hexadecimal."""
    return _KNOWN_DIGEST.match(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a slot holds: a tag and, where known, a digest, each exactly as written (`1.10` stays `1.10`).

    For a chart the tag is the chart's version or range, for a git reference the branch, tag or commit.
    """

    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """For people: `1.4.2`, `1.4.2@sha256:0f3a9c…` (digest shortened), or `none`."""
        if self.digest is None:
            return self.tag if self.tag is not None else "none"
        algorithm, _, value = self.digest.partition(":")
        short = f"{algorithm}:{value[:DIGEST_SHOWN]}…" if len(value) > DIGEST_SHOWN else self.digest
        return f"{self.tag}@{short}" if self.tag is not None else short

    @property
    def text(self) -> str:
        """Without loss: `tag`, `tag@digest`, `@digest` or the empty text. `Version.parse` reads it back."""
        return (self.tag or "") + (f"@{self.digest}" if self.digest is not None else "")

    @classmethod
    def parse(cls, text: str) -> "Version":
        """The inverse of `text`; a bare `sha256:...` is a digest too. Checks no grammar: charts and branches are versions too."""
        if _DIGEST.match(text):
            return cls(digest=text)
        tag, at, digest = text.rpartition("@")
        if at and _DIGEST.match(digest):
            return cls(tag=tag or None, digest=digest)
        return cls(tag=text or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """A parsed reference. `registry` and `repository` are normalised: `nginx` is `docker.io` and `library/nginx`."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """The image without its version, as people write it: `nginx`, `acme/api`, `ghcr.io/acme/api`. Equal names, equal images."""
        if self.registry != DEFAULT_REGISTRY:
            return f"{self.registry}/{self.repository}"
        if self.repository.count("/") == 1:
            return self.repository.removeprefix(OFFICIAL)
        return self.repository

    @property
    def version(self) -> Version:
        return Version(tag=self.tag, digest=self.digest)

    @property
    def origin(self) -> "ImageRef | None":
        """The image behind a mirror's name that spells it out (`mirror.local/ghcr.io/acme/web`); None for any other name."""
        first, slash, rest = self.repository.partition("/")
        if not slash or "." not in first:
            return None
        located = _locate(f"{first}/{rest}")
        return None if located is None else ImageRef(registry=located[0], repository=located[1], tag=self.tag, digest=self.digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return f"{self.name}{tag}{digest}"

    @classmethod
    def parse(cls, text: str) -> "ImageRef | None":
        """The reference in `text`, or None where the whole text is not one."""
        spans = split_reference(text)
        if spans is None:
            return None
        located = _locate(text[: spans.name_end])
        if located is None:
            return None
        return cls(registry=located[0], repository=located[1], tag=spans.tag(text), digest=spans.digest(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSpans:
    """Where the parts of a reference stand in its text (character offsets); -1 where a part is missing."""

    name_end: int
    tag_start: int
    tag_end: int
    digest_start: int

    def tag(self, text: str) -> str | None:
        return text[self.tag_start : self.tag_end] if self.tag_start >= 0 else None

    def digest(self, text: str) -> str | None:
        return text[self.digest_start :] if self.digest_start >= 0 else None


def split_reference(text: str) -> ReferenceSpans | None:
    """Where name, tag and digest stand in `text`; None where tag or digest break the grammar. The name is not judged."""
    head, at, digest = text.partition("@")
    if at and not _DIGEST.match(digest):
        return None
    colon = head.rfind(":")
    has_tag = colon > head.rfind("/") and colon > head.rfind("]")
    if has_tag and not _TAG.match(head, colon + 1):
        return None
    return ReferenceSpans(
        name_end=colon if has_tag else len(head),
        tag_start=colon + 1 if has_tag else -1,
        tag_end=len(head) if has_tag else -1,
        digest_start=len(head) + 1 if at else -1,
    )


def known_as(text: str) -> tuple[ImageRef, ...]:
    """What a reference stands for: itself, and the image behind it where a mirror's name spells that out; none where it is none.

    Admission webhooks put a pull-through cache before the names that git declares.
    """
    parsed = ImageRef.parse(text)
    if parsed is None:
        return ()
    return (parsed,) if parsed.origin is None else (parsed, parsed.origin)


def normal_name(text: str) -> str | None:
    """The familiar name (as `ImageRef.name`) of an image name or reference; None where it is not one."""
    parsed = ImageRef.parse(text)
    return None if parsed is None else parsed.name


def _locate(name: str) -> tuple[str, str] | None:
    """(registry, repository) of a name, after docker's rule for what is a registry."""
    first, slash, rest = name.partition("/")
    is_registry = bool(slash) and (any(mark in first for mark in ".:") or first == "localhost" or first != first.lower())
    registry, path = (first, rest) if is_registry else (DEFAULT_REGISTRY, name)
    registry = registry.lower() if registry.count(".") else registry
    if registry in ("index.docker.io", "registry-1.docker.io"):
        registry = DEFAULT_REGISTRY
    if not _REGISTRY.match(registry) or not _PATH.match(path) or len(path) > LONGEST_NAME:
        return None
    return registry, (OFFICIAL + path if registry == DEFAULT_REGISTRY and "/" not in path else path)
