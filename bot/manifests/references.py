"""Versions inside a text: of an image reference, or by itself. Puts other parts in, and tells what stands there.

Pure text; which text it is and where it stands is left to `changing`.
"""

import re

from bot.domain.edits import EditRefused
from bot.domain.image import Version, normal_name, split_reference, valid_digest
from bot.manifests.addresses import NewValue, checked_tag
from bot.manifests.guards import NULLS

_BARE_VERSION = re.compile(r"v?[0-9][^:/]*@")
"""`1.2@sha256:...`: a version, though an image could be called so."""
TAG_KEYS = ("tag", "newTag", "imageTag", "version", "appVersion", "targetRevision", "revision", "digest", "ref", "branch", "commit")


def with_reference(text: str, new: NewValue) -> str:
    """An image reference with other parts."""
    checked_tag(new)
    if (begin := name_prefix(text)) > 0:
        return text[:begin] + with_reference(text[begin:], new)
    spans = split_reference(text)
    if spans is None:
        raise EditRefused("NotAScalar", "the value is not an image reference")
    old_tag, old_digest = spans.tag(text), spans.digest(text)
    if new.name is not None and normal_name(new.name) is None:
        raise EditRefused("InvalidVersion", f"{new.name!r} is not an image name")
    tag, digest = _merge(old_tag, old_digest, new)
    same_name = new.name is None or normal_name(new.name) == normal_name(text)
    name = text[: spans.name_end] if same_name else str(new.name)
    return name + (f":{tag}" if tag is not None else "") + (f"@{digest}" if digest is not None else "")


def with_version(text: str, new: NewValue) -> str:
    """A bare version (`tag`, `tag@digest`, or a digest alone) with other parts."""
    if new.name is not None:
        raise EditRefused("FieldMissing", "the value is a version alone and holds no name")
    old = Version.parse("" if text in NULLS else text)
    tag, digest = _merge(old.tag, old.digest, new)
    if old.digest is None and digest is not None and old.tag is None and tag is None:
        return digest
    if tag is None:
        return digest or ""
    return tag + (f"@{digest}" if digest is not None else "")


def with_parts(text: str, new: NewValue) -> str:
    """A version in a text of unknown kind: of an image reference where it reads as one, else by itself (`1.2@sha256:...` too)."""
    whole = text.partition("@")[0]
    named = is_reference(text, None) and ("/" in whole or ":" in whole)
    return with_reference(text, new) if named else with_version(text, new)


def is_reference(text: str, key: str | int | None) -> bool:
    text = text[name_prefix(text) :]
    if valid_digest(text) or normal_name(text) is None:
        return False
    if isinstance(key, int) or (isinstance(key, str) and key.lower().endswith("image")):
        return True
    if isinstance(key, str) and key in TAG_KEYS:
        return False
    return "/" in text or (":" in text and _BARE_VERSION.match(text) is None)


def readings(text: str, *, reference: bool) -> tuple[list[str], Version]:
    """All the texts that `old` may be compared with, and the version that stands there."""
    spans = split_reference(part := text[name_prefix(text) :]) if reference else None
    version = Version(tag=spans.tag(part), digest=spans.digest(part)) if spans else Version.parse(text)
    return [text, *(one for one in (version.tag, version.digest, version.text) if one)], version


def name_prefix(text: str) -> int:
    """Where the reference begins in Kustomize's `old=name:tag`; 0 in every other text."""
    old, equals, reference = text.partition("=")
    return len(old) + 1 if equals and normal_name(old) and normal_name(reference) else 0


def _merge(old_tag: str | None, old_digest: str | None, new: NewValue) -> tuple[str | None, str | None]:
    if new.tag is not None and new.digest is None and old_digest is not None and new.tag != old_tag:
        raise EditRefused(
            "DigestWouldBeStale", f"the image is pinned to {Version(digest=old_digest)}; with another tag it would go on running it"
        )
    return new.tag if new.tag is not None else old_tag, new.digest if new.digest is not None else old_digest
