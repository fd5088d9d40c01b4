"""Maps that describe an image: `registry`, `repository`, `tag`, `digest`, or Kustomize's `newName`, `newTag`, `digest`.

Decides which field gets which part of a new version, and what version a map holds.
"""

from bot.domain.image import ImageRef, Version
from bot.manifests.addresses import Address, NewValue, checked_tag
from bot.manifests.finding import Place, merged_value
from bot.manifests.guards import guard_old, guard_pinned, guard_repository, guard_template, held, refuse, scalar_at
from bot.yamltext import Alias, Document, Mapping, Scalar, Text

_FIELDS = {
    "kustomize": {"tag": "newTag", "digest": "digest", "name": "newName"},
    "map": {"tag": "tag", "digest": "digest", "name": "repository"},
}


def image_fields(source: Text, document: Document, node: Mapping, address: Address, new: NewValue) -> dict[str, str]:
    """New texts by field name, for a map that describes an image (`repository`, `registry`, `tag`, `digest`, or Kustomize's names)."""
    names = _FIELDS["kustomize" if node.get("newTag") or node.get("newName") or address.form == "kustomize" else "map"]
    present = {part: key for part, key in names.items() if node.get(key) is not None}
    merged = {key for part, key in names.items() if part not in present and merged_value(document, node, key) is not None}
    if merged and not present.keys() & {"tag", "digest"}:
        raise refuse(source, node, "ThroughMerge", f"`{min(merged)}` comes from a merge key")
    if not present and new.text is not None and address.form != "kustomize":
        raise refuse(source, node, "NotAScalar", "the address names a map that describes no image")
    parts = checked_tag(new.parts())
    guard_repository(source, document, node, address)
    tag_field = held(document, node, names["tag"]) or ""
    old = Version.parse(tag_field)
    digest = held(document, node, "digest") or old.digest
    _guard_old(source, node, address, tag_field, Version(tag=old.tag, digest=digest))
    if parts.tag is not None and parts.digest is None and parts.tag != old.tag:
        guard_pinned(source, document, node, digest)
    wanted: dict[str, str] = {}
    if parts.tag is not None:
        wanted[names["tag"]] = parts.tag
    if parts.digest is not None and old.digest is not None and "tag" in present:
        wanted[names["tag"]] = f"{parts.tag or old.tag or ''}@{parts.digest}"
    elif parts.digest is not None:
        wanted["digest"] = parts.digest
    if parts.name is not None:
        wanted |= _named(document, node, parts.name) if names["name"] == "repository" else {names["name"]: parts.name}
    for key in wanted:
        if node.get(key) is None and key in merged | {"registry"}:
            raise refuse(source, node, "ThroughMerge", f"`{key}` comes from a merge key")
        if node.get(key) is None:
            raise refuse(source, node, "FieldMissing", f"the map has no field `{key}` to hold the new value")
    return wanted


def _guard_old(source: Text, node: Mapping, address: Address, tag_field: str, version: Version) -> None:
    joined = version.text if version.digest is not None else None
    known = [one for one in (tag_field, version.tag, version.digest, joined) if one]
    guard_old(source, node, (known, version), address)


def _named(document: Document, node: Mapping, name: str) -> dict[str, str]:
    """`repository`, and `registry` where the map holds another one, for an image of this name."""
    registry, reference = held(document, node, "registry"), ImageRef.parse(name)
    if registry is None or reference is None:
        return {"repository": name}
    repository = reference.name.removeprefix(f"{reference.registry}/")
    known = ImageRef.parse(f"{registry}/x/y")
    if known is not None and known.registry == reference.registry:
        return {"repository": repository}
    return {"registry": reference.registry, "repository": repository}


def names_image(document: Document, node: Mapping) -> bool:
    """True for a map that says which image it is about."""
    return any(held(document, node, key) for key in ("repository", "newName", "name"))


def image_place(source: Text, place: Place, address: Address) -> tuple[Scalar, Version | None]:
    """The scalar that holds the version at a place; with the whole version where tag and digest stand in a map."""
    node = place.document.resolve(place.spot.node) if address.form == "image" else place.spot.node
    if isinstance(node, Alias):
        raise refuse(source, node, "ThroughAlias", "the value is an alias of an anchored value")
    if isinstance(node, Scalar):
        guard_template(source, node)
        return node, None
    if not isinstance(node, Mapping):
        raise refuse(source, node, "NotAScalar", "the address names a list, not a value")
    guard_repository(source, place.document, node, address)
    names = ("newTag", "digest") if node.get("newTag") is not None else ("tag", "digest")
    found = {name: text for name in names if (text := held(place.document, node, name)) is not None}
    own = next((name for name in found if node.get(name) is not None), None)
    if own is None:
        code, why = ("ThroughMerge", "comes from a merge key") if found else ("FieldMissing", "is not there")
        raise refuse(source, node, code, f"`{next(iter(found), names[0])}` {why}")
    tag = Version.parse(found.get(names[0], ""))
    return scalar_at(source, place.document, node, own, address), Version(tag=tag.tag, digest=found.get("digest") or tag.digest)
