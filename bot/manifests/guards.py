"""What must hold before a place is changed: expected old values, images, pins, shared anchors, templates.

Each guard refuses with its code and the line; what is written then is left to `changing` and `image_maps`.
"""

import re

from bot.domain.edits import EditRefused
from bot.domain.image import Version, normal_name
from bot.manifests.addresses import Address
from bot.manifests.finding import merged_value
from bot.yamltext import Alias, Document, Mapping, Node, Scalar, Text, line_of, place_of

_VARIABLE = re.compile(r"(?:\A|[:/@.-])\$[A-Za-z_]\w*(?:\Z|[:/@.-])")
NULLS = ("", "~", "null", "Null", "NULL")


def is_templated(text: str) -> bool:
    """True for a value that Go templates, Jinja, ERB, or a substitution of variables (`${A}`, `$(A)`, `$A`) will replace."""
    return any(mark in text for mark in ("{{", "${", "$(", "{%", "<%")) or _VARIABLE.search(text) is not None


def guard_old(source: Text, node: Node, held: tuple[list[str], Version], address: Address) -> None:
    texts, version = held
    if address.old is not None and address.old not in texts:
        raise refuse(source, node, "StaleValue", f"{texts[0] if texts else 'nothing'!r} stands there, not {address.old!r}")
    wanted = address.old_version
    if wanted is None:
        return
    if (wanted.tag is not None and wanted.tag != version.tag) or (wanted.digest is not None and wanted.digest != version.digest):
        raise refuse(source, node, "StaleValue", f"{version} stands there, not {wanted}")


def guard_repository(source: Text, document: Document, node: Mapping, address: Address) -> None:
    if address.repository is None:
        return
    registry = held(document, node, "registry")
    repository = held(document, node, "repository") or held(document, node, "newName") or held(document, node, "name")
    image = f"{registry}/{repository}" if registry and repository else repository
    if image is None or normal_name(image) != normal_name(address.repository):
        raise refuse(source, node, "StaleValue", f"the image is {image or 'not named'}, not {address.repository}")


def guard_pinned(source: Text, document: Document, node: Mapping, digest: str | None) -> None:
    in_name = (held(document, node, "repository") or "").partition("@")[2]
    pin = digest or held(document, node, "sha") or in_name
    if pin:
        raise refuse(source, node, "DigestWouldBeStale", f"the image is pinned to {pin[:19]}…; with another tag it would go on running it")


def guard_shared(source: Text, document: Document, chain: tuple[Node, ...], address: Address) -> None:
    if address.allow_shared or not document.shared:
        return
    for node in chain:
        if id(node) in document.shared:
            raise refuse(source, node, "SharedAnchor", "the value stands under an anchor that other places of the file use")


def guard_template(source: Text, node: Scalar) -> None:
    if is_templated(str(node.value)):
        raise refuse(source, node, "TemplateSyntax", "the value is made by a template")


def held(document: Document, node: Mapping, key: str) -> str | None:
    """The text under `key`, its own or merged into it; None where there is nothing or a null."""
    found = node.get(key)
    value = document.resolve(found) if found is not None else merged_value(document, node, key)
    if not isinstance(value, Scalar) or (value.style == "" and value.value in NULLS):
        return None
    return str(value.value) or None


def scalar_at(source: Text, document: Document, node: Mapping, key: str, address: Address) -> Scalar:
    found = node.get(key)
    if isinstance(found, Alias):
        raise refuse(source, found, "ThroughAlias", f"`{key}` is an alias of an anchored value")
    if not isinstance(found, Scalar):
        raise refuse(source, found or node, "NotAScalar", f"`{key}` is not a single value")
    guard_shared(source, document, (found,), address)
    guard_template(source, found)
    return found


def refuse(source: Text, node: Node, code: str, message: str) -> EditRefused:
    return EditRefused(code, message, line_of(source.text, place_of(node)))
