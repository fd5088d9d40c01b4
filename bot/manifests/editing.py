"""Carries an edit out: from bytes, an address and a new value to bytes that differ in exactly that value, or a refusal.

Every refusal is an `EditRefused` with a code, a sentence and a line; whatever happens, nothing half done is returned.
"""

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from functools import partial
from typing import Any

from bot.domain.edits import EditRefused
from bot.manifests import hcl_address, kustomize_address, markers, patterns
from bot.manifests.addresses import Address, NewValue, checked_tag, parse_address, parse_new
from bot.manifests.changing import changes_at, holder_of_text
from bot.manifests.edited import Edited
from bot.manifests.files import check_sops, decode, is_bare_text, read_yaml, refused
from bot.manifests.finding import Place, choose, find_images, find_path
from bot.manifests.writing import verified, write
from bot.yamltext import Splice, Text, TextError, line_of
from bot.yamltext.layout import layout_of
from bot.yamltext.stillness import no_collection


def edit(content: bytes, address: AnyMapping[str, Any], new: str | AnyMapping[str, Any]) -> bytes:
    """`content` with `new` at `address`; every other byte stays. Raises `EditRefused`."""
    parsed = parse_address(address)
    value = parse_new(new)
    mark, text = decode(content)
    with no_collection():  # both trees are gone when it ends: there is nothing left to collect
        edited = edit_text(text, parsed, value).text
    return (mark + edited).encode("utf-8")


def edit_text(text: str, address: Address, new: NewValue) -> Edited:
    """The same for a text without a byte order mark, and a checked address."""
    if address.form in ("image", "kustomize"):
        checked_tag(new.parts())
    if address.form == "regex":
        return patterns.edit_pattern(text, address, new)
    if address.form == "hcl":
        return hcl_address.edit_attribute(text, address, new)
    try:
        source = read_yaml(text)
    except EditRefused as refusal:
        if address.form == "marker":
            return markers.edit_line(text, address, new, refusal)
        raise
    if address.form == "marker" and is_bare_text(source):
        return markers.edit_line(text, address, new, None)
    places = choose(source, find(source, address), address)
    if address.embedded is not None:
        return _edit_embedded(source, places, address, new)
    return write(source, [change for place in places for change in changes_at(source, place, new, address)])


def find(source: Text, address: Address) -> list[Place]:
    """The places that an address of any YAML form names."""
    match address.form:
        case "image":
            return find_images(source, address)
        case "kustomize":
            return kustomize_address.find_entries(source, address)
        case "marker":
            return markers.find_marked(source, address)
        case _:
            return find_path(source, address)


def _edit_embedded(source: Text, places: list[Place], address: Address, new: NewValue) -> Edited:
    """An edit inside the YAML text that a literal block holds: its splices are carried over to the block's own lines."""
    assert address.embedded is not None
    inner_address = address.embedded
    if address.old is not None and inner_address.old is None:
        inner_address = replace(inner_address, old=address.old)
    splices: list[Splice] = []
    values: dict[int, str] = {}
    try:
        for place in places:
            node = holder_of_text(source, place, address)
            check_sops(source, node)
            layout = layout_of(source.text, node)
            inner = _inside(source.text, layout.raws, partial(edit_text, str(node.value), inner_address, new))
            if inner.splices:
                values[id(node)] = inner.text
            splices += [Splice(start=layout.raw(one.start), end=layout.raw(one.end), text=one.text) for one in inner.splices]
        return verified(source, splices, values)
    except TextError as error:
        raise refused(error, source.text) from None


def _inside(text: str, rows: list[int], run: Callable[[], Edited]) -> Edited:
    """`run`, with the line of a refusal counted in the outer file. `rows` tells where each inner line stands there."""
    try:
        return run()
    except EditRefused as refusal:
        row = rows[min(refusal.line, len(rows)) - 1]
        raise EditRefused(refusal.code, f"in the embedded text: {refusal.message}", line_of(text, row)) from None
