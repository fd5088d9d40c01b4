"""The address form `{"hcl": "/module/vpc/version"}`: a quoted value of an HCL file by its path; of a source, what stands after `?ref=`.

The value is located by the HCL parser, spliced, and the result is parsed again: one token may differ.
"""

import re

from bot.domain.edits import EditRefused
from bot.domain.image import ImageRef, Version, split_reference
from bot.manifests.addresses import Address, NewValue
from bot.manifests.edited import Edited
from bot.manifests.hcl_text import HclValue, hcl_tokens, hcl_values
from bot.manifests.references import is_reference, with_parts
from bot.yamltext import Splice, apply, line_of

REF = re.compile(r"[?&](?:ref|version|tag)=(?P<version>[^&]+)")
_SAFE = re.compile(r"[\w.+@:/~^<>=!, *-]+\Z", re.A)


def edit_attribute(text: str, address: Address, new: NewValue) -> Edited:
    """The text with the value changed. Raises EditRefused as the other forms do."""
    found = find_value(text, address)
    assert found.value is not None
    start, end = version_span(found)
    old = text[start:end]
    line = line_of(text, start)
    if REF.search(found.value) is None and (found.path[-1] == "source" or "://" in found.value or "::" in found.value):
        raise EditRefused("FieldMissing", "the source has no `?ref=` to hold a version", line)
    value = new.text if new.text is not None else with_parts(old, new)
    if address.old is not None and address.old not in (old, found.value, held(text, address)[0][2].tag):
        raise EditRefused("StaleValue", f"{old!r} stands there, not {address.old!r}", line)
    if not _SAFE.match(value):
        raise EditRefused("InvalidVersion", f"{value!r} holds characters that cannot be written safely into HCL", line)
    if value == old:
        return Edited(text=text)
    splice = Splice(start=start, end=end, text=value)
    edited = apply(text, [splice])
    before, after = hcl_tokens(text), hcl_tokens(edited)
    if len(before) != len(after) or sum(one != other for one, other in zip(before, after, strict=True)) != 1:
        raise EditRefused("UnsupportedScalar", "nothing was written: the file would not read back as exactly this one change", line)
    return Edited(text=edited, splices=(splice,))


def find_value(text: str, address: Address) -> HclValue:
    """The value at the address's path."""
    values = [one for one in hcl_values(text) if one.path == address.steps]
    if not values:
        raise EditRefused("PathNotFound", f"nothing stands at {address.wanted}")
    if len(values) > 1:
        raise EditRefused("AmbiguousMatch", f"{len(values)} values stand at {address.wanted}", line_of(text, values[1].start))
    if values[0].value is None:
        raise EditRefused("TemplateSyntax", "the value is no quoted text, or made of other values", line_of(text, values[0].start))
    return values[0]


def version_span(found: HclValue) -> tuple[int, int]:
    """The whole value, or the part after `?ref=`."""
    match = REF.search(found.value or "")
    return (found.start + match.start("version"), found.start + match.end("version")) if match else (found.start, found.end)


def held(text: str, address: Address) -> list[tuple[int, int, Version, str | None]]:
    """What stands at the address: start, end, version, and the image's name where it is one."""
    found = find_value(text, address)
    start, end = version_span(found)
    value = text[start:end]
    parsed, spans = (ImageRef.parse(value), split_reference(value)) if is_reference(value, None) else (None, None)
    if parsed is None or spans is None or spans.tag_start < 0:
        return [(start, end, Version.parse(value), None)]
    return [(start + spans.tag_start, start + spans.tag_end, parsed.version, parsed.name)]
