"""Reads a registry by the OCI distribution API: manifests, blobs, tags, referrers. Digests are hashed here, never believed.

Decides what is asked and refuses content that is not what its digest says, pages without end, and links that lead elsewhere.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.adapters.registry.access import Access
from bot.domain.errors import TransientError
from bot.domain.image import valid_digest, valid_tag

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LARGEST = 4 << 20
MOST_PAGES = 100
PAGE = 1_000
KEPT = 500
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest or index as the registry sent it: the digest of its bytes and its content."""

    digest: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """A repository's tags in the registry's order; `odd` counts those that the OCI grammar does not know. `mark` is its ETag.

    `unchanged` is true where the registry says that nothing is new since the mark given; then there are no names.
    """

    names: tuple[str, ...] = ()
    odd: int = 0
    mark: str = ""
    unchanged: bool = False


@dataclass(slots=True)
class _Kept:
    manifests: OrderedDict[str, Manifest] = field(default_factory=OrderedDict)
    tags: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)


class RegistryClient:
    """One registry. Safe for several threads."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._kept = _Kept()
        self._lock = threading.Lock()

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """What a tag or digest names; None when there is no such thing.

        What was read before costs a HEAD (which no registry counts as a pull) while it is still there, and a tag where it stood.
        """
        with self._lock:
            held = self._kept.manifests.get(reference if ":" in reference else self._kept.tags.get((repository, reference), ""))
        if held is not None and self._stands(repository, reference, held.digest):
            return held
        reply = self.access.get(self._path(repository, "manifests", reference), repository=repository, largest=LARGEST, headers=_accept())
        if reply.status == 404:
            return None
        claimed = reference if ":" in reference else reply.headers.get("docker-content-digest", "")
        digest = hashed(reply.body, claimed, self.access.door.name)
        found = Manifest(digest=digest, content=_object(reply.body, self.access.door.name))
        with self._lock:
            _keep(self._kept.manifests, found.digest, found)
            if ":" not in reference:
                _keep(self._kept.tags, (repository, reference), found.digest)
        return found

    def blob(self, repository: str, digest: str) -> bytes:
        """A blob's bytes, at most 4 MB. `TransientError` when it is not there or is not what its digest says."""
        if not valid_digest(digest):
            raise TransientError(f"{self.access.door.name} names a blob by something that is no digest")
        reply = self.access.get(self._path(repository, "blobs", digest), repository=repository, largest=LARGEST)
        if reply.status == 404:
            raise TransientError(f"{self.access.door.name} lists a blob that it does not have")
        hashed(reply.body, digest, self.access.door.name)
        return reply.body

    def tags(self, repository: str, *, mark: str = "") -> Tags | None:
        """All tags; None when there is no such repository. At most 100 pages of 1,000 are read, and only from this registry."""
        url = f"{self._path(repository, 'tags', 'list')}?n={PAGE}"
        names: dict[str, None] = {}
        odd = 0
        first_mark = ""
        seen: set[str] = set()
        for page in range(MOST_PAGES):
            headers = {"accept": "application/json"} | ({"if-none-match": mark} if mark and not page else {})
            reply = self.access.get(url, repository=repository, largest=LARGEST, headers=headers)
            if reply.status == 304:
                return Tags(mark=mark, unchanged=True)
            if reply.status == 404:
                return None
            first_mark = first_mark or reply.headers.get("etag", "")
            listed = _object(reply.body, self.access.door.name).get("tags")
            for name in listed if isinstance(listed, list) else ():
                if isinstance(name, str) and valid_tag(name):
                    names[name] = None
                else:
                    odd += 1
            onward = self._next(url, reply.headers.get("link", ""))
            if onward is None:
                return Tags(names=tuple(names), odd=odd, mark="" if page else first_mark)
            if onward in seen:
                raise TransientError(f"{self.access.door.name} lists its tags in a circle")
            seen.add(onward)
            url = onward
        raise TransientError(f"{self.access.door.name} lists more than {MOST_PAGES} pages of tags for {repository}")

    def referrers(self, repository: str, digest: str) -> list[Mapping[str, Any]]:
        """Descriptors of what refers to a digest: by the API, or by the tag that stands in for it on older registries."""
        path = self._path(repository, "referrers", digest)
        reply = self.access.get(path, repository=repository, largest=LARGEST, headers={"accept": MANIFESTS[0]})
        content: Mapping[str, Any] = {}
        if reply.status == 200:
            content = _object(reply.body, self.access.door.name)
        else:
            stand_in = self.manifest(repository, digest.replace(":", "-"))
            content = stand_in.content if stand_in is not None else {}
        listed = content.get("manifests")
        return [entry for entry in (listed if isinstance(listed, list) else []) if isinstance(entry, dict)]

    def _stands(self, repository: str, reference: str, digest: str) -> bool:
        path = self._path(repository, "manifests", reference)
        reply = self.access.get(path, repository=repository, largest=LARGEST, method="HEAD", headers=_accept())
        return reply.status == 200 and reply.headers.get("docker-content-digest", digest if reference == digest else "") == digest

    def _path(self, repository: str, kind: str, reference: str) -> str:
        return f"{self.access.door.base.raw_path.decode().rstrip('/')}/v2/{quote(repository, safe='/')}/{kind}/{quote(reference, safe=':')}"

    def _next(self, url: str, link: str) -> str | None:
        found = _NEXT.search(link[:8_000])
        if found is None:
            return None
        base = self.access.door.base
        target = base.join(url).join(found[1])
        if (target.scheme, target.host, target.port) != (base.scheme, base.host, base.port):
            raise TransientError(f"{self.access.door.name} links its tags' next page to {target.host}")
        return str(target)


def hashed(content: bytes, claimed: str, who: str) -> str:
    """The content's digest: by the algorithm of the claim where there is one, else sha256. `TransientError` where they differ."""
    algorithm = claimed.partition(":")[0] if valid_digest(claimed) else "sha256"
    digest = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    if claimed and digest != claimed:
        raise TransientError(f"{who} sent content whose digest is {digest[:19]}, not {claimed[:19]} as it says")
    return digest


def _accept() -> dict[str, str]:
    return {"accept": ", ".join(MANIFESTS)}


def _object(body: bytes, who: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TransientError(f"{who} sent something that is not a JSON object")
    return found


def _keep(shelf: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    shelf[key] = value
    shelf.move_to_end(key)
    while len(shelf) > KEPT:
        shelf.popitem(last=False)
