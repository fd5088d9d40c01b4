"""What is to stand in a place: from the node, its neighbours and the new value to the new text of each scalar.

Decides what a string and what the parts of an image mean at a place; maps are left to `image_maps`, how text is written to `yamltext`.
"""

from dataclasses import dataclass

from bot.domain.edits import EditRefused
from bot.domain.image import normal_name, valid_digest
from bot.manifests.addresses import Address, NewValue, checked_tag
from bot.manifests.finding import Place
from bot.manifests.guards import NULLS, guard_old, guard_pinned, guard_repository, guard_shared, guard_template, held, refuse, scalar_at
from bot.manifests.image_maps import image_fields, names_image
from bot.manifests.references import is_reference, readings, with_reference, with_version
from bot.yamltext import Alias, Mapping, Node, Scalar, Sequence, Text, line_of, place_of

IMAGE_TAG_KEYS = ("tag", "newTag", "imageTag")


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
        raise refuse(source, node, "ThroughAlias", "the value is an alias of an anchored value")
    node = place.document.resolve(node)
    if isinstance(node, Mapping):
        fields = image_fields(source, place.document, node, address, new)
        guard_shared(source, place.document, (*chain, node), address)
        return [
            Change(node=scalar_at(source, place.document, node, key, address), value=value, flow=_in_flow((*chain, node)))
            for key, value in fields.items()
        ]
    if not isinstance(node, Scalar):
        raise refuse(source, node, "NotAScalar", "the address names a list, not a value")
    guard_shared(source, place.document, (*chain, node), address)
    guard_template(source, node)
    value = new_text(source, place, node, new, address)
    return [Change(node=node, value=value, flow=_in_flow(chain))]


def holder_of_text(source: Text, place: Place, address: Address) -> Scalar:
    """The literal block at a place that an embedded address goes into."""
    node = place.spot.node
    if isinstance(node, Alias):
        raise refuse(source, node, "ThroughAlias", "the embedded text is an alias of an anchored value")
    if not isinstance(node, Scalar):
        raise refuse(source, node, "NotAScalar", "no text stands where the embedded address should go on")
    if node.style != "|":
        raise refuse(source, node, "UnsupportedScalar", "the embedded text does not stand in a literal block (`|`)")
    guard_shared(source, place.document, (*place.spot.chain, node), address)
    return node


def new_text(source: Text, place: Place, node: Scalar, new: NewValue, address: Address) -> str:
    """The new text of a single scalar: a string as given, or the parts of an image put into what stands there."""
    text = str(node.value)
    key, parent = place.spot.key, place.spot.parent
    as_reference = address.form == "image" or is_reference(text, key)
    if address.repository is not None and not as_reference and isinstance(parent, Mapping) and names_image(place.document, parent):
        guard_repository(source, place.document, parent, address)
    elif address.repository is not None and (not as_reference or normal_name(text) != normal_name(address.repository)):
        raise refuse(source, node, "StaleValue", f"the value is not an image of {address.repository}")
    if address.old is not None or address.old_version is not None:
        guard_old(source, node, readings(text, reference=as_reference), address)
    if new.text is not None and address.form != "image":
        _guard_sibling_digest(source, place, node, new.text)
        if key == "digest" and valid_digest(text) and not valid_digest(new.text):
            raise refuse(source, node, "InvalidVersion", f"{new.text[:80]!r} is no digest, and a digest stands there")
        return new.text
    parts = new.parts()
    if isinstance(key, str) and key.lower().endswith("image") and not as_reference:
        if not text or (node.style == "" and text in NULLS):
            raise refuse(source, node, "FieldMissing", f"no image stands at `{key}` that could get another version")
        raise refuse(source, node, "NotAScalar", f"what stands at `{key}` is not an image reference that could get another version")
    if new.text is not None and parts.name is not None and parts.name != normal_name(text):
        raise refuse(source, node, "InvalidVersion", f"the new value is an image of {parts.name}, not of {normal_name(text) or text}")
    try:
        if not as_reference and place.spot.key in IMAGE_TAG_KEYS:
            parts = checked_tag(parts)
        return with_reference(text, parts) if as_reference else with_version(text, parts)
    except EditRefused as refusal:
        raise EditRefused(refusal.code, refusal.message, line_of(source.text, place_of(node))) from None


def _guard_sibling_digest(source: Text, place: Place, node: Scalar, text: str) -> None:
    parent = place.spot.parent
    if place.spot.key in ("tag", "newTag") and isinstance(parent, Mapping) and text != str(node.value):
        digest = held(place.document, parent, "digest")
        if digest and valid_digest(digest):
            guard_pinned(source, place.document, parent, digest)


def _in_flow(chain: tuple[Node, ...]) -> bool:
    return any(isinstance(node, Mapping | Sequence) and node.flow for node in chain)
