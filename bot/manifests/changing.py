"""What is to stand in a place: from the node, its neighbours and the new value to the new text of each scalar.

Decides the rules of images and digests (`DigestWouldBeStale`, `FieldMissing`, `InvalidVersion`, `StaleValue`, `SharedAnchor`).
How the text is written into the file is left to `yamltext`.
"""

from dataclasses import dataclass

from bot.domain.edits import EditRefused
from bot.domain.image import Version, normal_name, split_reference, valid_digest
from bot.manifests.addresses import Address, NewValue, checked_tag
from bot.manifests.finding import Place
from bot.yamltext import Alias, Document, Mapping, Node, Scalar, Sequence, Text, line_of, place_of

TAG_KEYS = ("tag", "newTag", "imageTag", "version", "appVersion", "targetRevision", "revision", "digest", "ref", "branch", "commit")
IMAGE_TAG_KEYS = ("tag", "newTag", "imageTag")
NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One scalar and the text that it is to have."""

    node: Scalar
    value: str
    flow: bool


def changes_at(source: Text, place: Place, new: NewValue, address: Address) -> list[Change]:
    """The changes at one place; none where it already holds the new value."""
    node = place.spot.node
    chain = place.spot.chain
    if isinstance(node, Alias) and not (address.form == "image" and address.allow_shared):
        raise _refuse(source, node, "ThroughAlias", "the value is an alias of an anchored value")
    node = place.document.resolve(node)
    if isinstance(node, Mapping):
        fields = image_fields(source, place.document, node, address, new)
        _guard_shared(source, place.document, (*chain, node), address)
        return [
            Change(node=_scalar(source, place.document, node, key, address), value=value, flow=_in_flow((*chain, node)))
            for key, value in fields.items()
        ]
    if not isinstance(node, Scalar):
        raise _refuse(source, node, "NotAScalar", "the address names a list, not a value")
    _guard_shared(source, place.document, (*chain, node), address)
    _guard_template(source, node)
    value = new_text(source, place, node, new, address)
    return [Change(node=node, value=value, flow=_in_flow(chain))]


def holder_of_text(source: Text, place: Place, address: Address) -> Scalar:
    """The literal block at a place that an embedded address goes into."""
    node = place.spot.node
    if isinstance(node, Alias):
        raise _refuse(source, node, "ThroughAlias", "the embedded text is an alias of an anchored value")
    if not isinstance(node, Scalar):
        raise _refuse(source, node, "NotAScalar", "no text stands where the embedded address should go on")
    if node.style != "|":
        raise _refuse(source, node, "UnsupportedScalar", "the embedded text does not stand in a literal block (`|`)")
    _guard_shared(source, place.document, (*place.spot.chain, node), address)
    return node


def new_text(source: Text, place: Place, node: Scalar, new: NewValue, address: Address) -> str:
    """The new text of a single scalar: a string as given, or the parts of an image put into what stands there."""
    text = str(node.value)
    key = place.spot.key
    as_reference = address.form == "image" or is_reference(text, key)
    if address.repository is not None and (not as_reference or normal_name(text) != normal_name(address.repository)):
        raise _refuse(source, node, "StaleValue", f"the value is not an image of {address.repository}")
    if address.old is not None or address.old_version is not None:
        _guard_old(source, node, readings(text, reference=as_reference), address)
    if new.text is not None and address.form != "image":
        _guard_sibling_digest(source, place, node, new.text)
        return new.text
    parts = new.parts()
    if new.text is not None and parts.name is not None and parts.name != normal_name(text):
        raise _refuse(source, node, "InvalidVersion", f"the new value is an image of {parts.name}, not of {normal_name(text) or text}")
    try:
        if not as_reference and place.spot.key in IMAGE_TAG_KEYS:
            parts = checked_tag(parts)
        return with_reference(text, parts) if as_reference else with_version(text, parts)
    except EditRefused as refusal:
        raise EditRefused(refusal.code, refusal.message, _line(source, node)) from None


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


def image_fields(source: Text, document: Document, node: Mapping, address: Address, new: NewValue) -> dict[str, str]:
    """New texts by field name, for a map that describes an image (`repository`, `registry`, `tag`, `digest`, or Kustomize's names)."""
    names = _FIELDS["kustomize" if node.get("newTag") or node.get("newName") or address.form == "kustomize" else "map"]
    present = {part: key for part, key in names.items() if node.get(key) is not None}
    if not present or (new.text is not None and "tag" not in present and "digest" not in present):
        raise _refuse(source, node, "NotAScalar", "the address names a map that describes no image")
    parts = checked_tag(new.parts())
    _guard_repository(source, document, node, address)
    held = {part: _held(document, node, key) for part, key in present.items()}
    tag_text = Version.parse(held.get("tag") or "")
    digest = held.get("digest") or tag_text.digest
    if address.old is not None or address.old_version is not None:
        joined = f"{tag_text.tag or ''}@{digest}" if digest else None
        known = [one for one in (held.get("tag"), tag_text.tag, digest, joined) if one]
        _guard_old(source, node, (known, Version(tag=tag_text.tag, digest=digest)), address)
    if parts.tag is not None and parts.digest is None and parts.tag != tag_text.tag:
        _guard_pinned(source, document, node, digest)
    result: dict[str, str] = {}
    in_tag = tag_text.digest is not None
    for part, value in (("tag", parts.tag), ("digest", parts.digest), ("name", parts.name)):
        if value is None:
            continue
        if part == "digest" and in_tag and "tag" in present:
            result[present["tag"]] = f"{parts.tag or tag_text.tag or ''}@{value}"
            continue
        if part not in present:
            missing = _refuse(source, node, "FieldMissing", f"the map has no field `{names[part]}` to hold the new {part}")
            raise missing
        result[present[part]] = value
    return result


_FIELDS = {
    "kustomize": {"tag": "newTag", "digest": "digest", "name": "newName"},
    "map": {"tag": "tag", "digest": "digest", "name": "repository"},
}


def with_parts(text: str, new: NewValue) -> str:
    """A version in a text of unknown kind: of an image reference where it reads as one, else by itself."""
    return with_reference(text, new) if is_reference(text, None) else with_version(text, new)


def image_place(source: Text, place: Place, address: Address) -> tuple[Scalar, Version | None]:
    """The scalar that holds the version at a place; with the whole version where tag and digest stand in a map."""
    node = place.document.resolve(place.spot.node) if address.form == "image" else place.spot.node
    if isinstance(node, Alias):
        raise _refuse(source, node, "ThroughAlias", "the value is an alias of an anchored value")
    if isinstance(node, Scalar):
        _guard_template(source, node)
        return node, None
    if not isinstance(node, Mapping):
        raise _refuse(source, node, "NotAScalar", "the address names a list, not a value")
    _guard_repository(source, place.document, node, address)
    names = ("newTag", "digest") if node.get("newTag") is not None else ("tag", "digest")
    held = [(name, text) for name in names if (text := _held(place.document, node, name)) is not None]
    if not held:
        raise _refuse(source, node, "FieldMissing", "the map holds neither a tag nor a digest")
    tag = Version.parse(dict(held).get(names[0], ""))
    return _scalar(source, place.document, node, held[0][0], address), Version(tag=tag.tag, digest=dict(held).get("digest") or tag.digest)


def is_templated(text: str) -> bool:
    """True for a value that Go templates, Jinja, ERB, or a substitution of variables will replace."""
    return any(mark in text for mark in ("{{", "${", "{%", "<%"))


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


def is_reference(text: str, key: str | int | None) -> bool:
    text = text[name_prefix(text) :]
    if valid_digest(text) or normal_name(text) is None:
        return False
    if isinstance(key, int) or (isinstance(key, str) and key.lower().endswith("image")):
        return True
    version_key = isinstance(key, str) and key in TAG_KEYS
    return not version_key and ("/" in text or ":" in text)


def readings(text: str, *, reference: bool) -> tuple[list[str], Version]:
    """All the texts that `old` may be compared with, and the version that stands there."""
    spans = split_reference(part := text[name_prefix(text) :]) if reference else None
    version = Version(tag=spans.tag(part), digest=spans.digest(part)) if spans else Version.parse(text)
    return [text, *(one for one in (version.tag, version.digest, version.text) if one)], version


def _guard_old(source: Text, node: Node, held: tuple[list[str], Version], address: Address) -> None:
    texts, version = held
    if address.old is not None and address.old not in texts:
        raise _refuse(source, node, "StaleValue", f"{texts[0] if texts else 'nothing'!r} stands there, not {address.old!r}")
    wanted = address.old_version
    if wanted is None:
        return
    if (wanted.tag is not None and wanted.tag != version.tag) or (wanted.digest is not None and wanted.digest != version.digest):
        raise _refuse(source, node, "StaleValue", f"{version} stands there, not {wanted}")


def _guard_repository(source: Text, document: Document, node: Mapping, address: Address) -> None:
    if address.repository is None:
        return
    registry = _held(document, node, "registry")
    repository = _held(document, node, "repository") or _held(document, node, "newName") or _held(document, node, "name")
    held = f"{registry}/{repository}" if registry and repository else repository
    if held is None or normal_name(held) != normal_name(address.repository):
        raise _refuse(source, node, "StaleValue", f"the image is {held or 'not named'}, not {address.repository}")


def _guard_pinned(source: Text, document: Document, node: Mapping, digest: str | None) -> None:
    pin = digest or _held(document, node, "sha")
    if pin:
        raise _refuse(source, node, "DigestWouldBeStale", f"the image is pinned to {pin[:19]}…; with another tag it would go on running it")


def _guard_sibling_digest(source: Text, place: Place, node: Scalar, text: str) -> None:
    parent = place.spot.parent
    if place.spot.key in ("tag", "newTag") and isinstance(parent, Mapping) and text != node.value:
        digest = _held(place.document, parent, "digest")
        if digest and valid_digest(digest):
            _guard_pinned(source, place.document, parent, digest)


def _guard_shared(source: Text, document: Document, chain: tuple[Node, ...], address: Address) -> None:
    if address.allow_shared or not document.shared:
        return
    for node in chain:
        if id(node) in document.shared:
            raise _refuse(source, node, "SharedAnchor", "the value stands under an anchor that other places of the file use")


def _guard_template(source: Text, node: Scalar) -> None:
    if is_templated(str(node.value)):
        raise _refuse(source, node, "TemplateSyntax", "the value is made by a template")


def _held(document: Document, node: Mapping, key: str) -> str | None:
    """The text under `key`, None where there is nothing or a null."""
    found = node.get(key)
    value = document.resolve(found) if found is not None else None
    if not isinstance(value, Scalar) or (value.style == "" and value.value in NULLS):
        return None
    return str(value.value) or None


def _scalar(source: Text, document: Document, node: Mapping, key: str, address: Address) -> Scalar:
    found = node.get(key)
    if isinstance(found, Alias):
        raise _refuse(source, found, "ThroughAlias", f"`{key}` is an alias of an anchored value")
    if not isinstance(found, Scalar):
        raise _refuse(source, found or node, "NotAScalar", f"`{key}` is not a single value")
    _guard_shared(source, document, (found,), address)
    _guard_template(source, found)
    return found


def _in_flow(chain: tuple[Node, ...]) -> bool:
    return any(isinstance(node, Mapping | Sequence) and node.flow for node in chain)


def _line(source: Text, node: Node) -> int:
    return line_of(source.text, place_of(node))


def _refuse(source: Text, node: Node, code: str, message: str) -> EditRefused:
    return EditRefused(code, message, _line(source, node))
