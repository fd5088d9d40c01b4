"""The slots at one address: what stands at a place that the configuration names.

Decides nothing new: the address is followed as `edit` follows it, so that what is read is what would be changed.
"""

from collections.abc import Mapping as AnyMapping
from typing import Any

from bot.domain.edits import EditRefused
from bot.domain.image import ImageRef, Version, split_reference
from bot.domain.slot import Holds, Slot, SlotProblem
from bot.manifests import hcl_address, markers, patterns
from bot.manifests.addresses import Address, parse_address
from bot.manifests.changing import holder_of_text
from bot.manifests.editing import find
from bot.manifests.files import decode, is_bare_text, read_yaml, refused
from bot.manifests.finding import Place, choose
from bot.manifests.found import FileSlots
from bot.manifests.guards import NULLS
from bot.manifests.image_maps import image_place
from bot.manifests.references import is_reference, name_prefix
from bot.yamltext import Text, TextError, line_of
from bot.yamltext.layout import layout_of

Held = tuple[int, int, Version, str | None]
"""Start, end, version, and the image's name where the place tells it."""


def slot_at(path: str, content: bytes, address: AnyMapping[str, Any], *, artifact: str) -> FileSlots:
    """The slots at `address`; `artifact` is what the configuration says they belong to. Never raises."""
    try:
        parsed = parse_address(address)
        mark, text = decode(content)
        held = _held(text, parsed)
    except EditRefused as refusal:
        message = f"{refusal.message}. {refusal.fix}".strip()
        return FileSlots(problems=(SlotProblem(path=path, line=refusal.line, code=refusal.code, message=message),))
    slots = tuple(_slot(path, text, one, address, artifact, len(mark)) for one in held)
    return FileSlots(slots=slots)


def _held(text: str, address: Address) -> list[Held]:
    if address.form == "regex":
        start, end = patterns.span_of(text, address)
        return [(start, end, Version.parse(text[start:end]), None)]
    if address.form == "hcl":
        return hcl_address.held(text, address)
    try:
        source = read_yaml(text)
    except EditRefused as refusal:
        if address.form != "marker":
            raise
        return [_on_line(text, address, refusal)]
    if address.form == "marker" and is_bare_text(source):
        return [_on_line(text, address, None)]
    places = choose(source, find(source, address), address)
    try:
        return [one for place in places for one in _at_place(source, place, address)]
    except TextError as error:
        raise refused(error, text) from None


def _on_line(text: str, address: Address, refusal: EditRefused | None) -> Held:
    start, end, _ = markers.span_on_line(text, address, refusal)
    return _of_text(text[start:end], start, reference="/" in text[start:end])


def _at_place(source: Text, place: Place, address: Address) -> list[Held]:
    if address.embedded is not None:
        layout = layout_of(source.text, node := holder_of_text(source, place, address))
        inner = _held(str(node.value), address.embedded)
        return [(layout.raw(start), layout.raw(end), version, name) for start, end, version, name in inner]
    node, version = image_place(source, place, address)
    if version is not None:
        layout = layout_of(source.text, node)
        return [(layout.raw(0), layout.raw(len(str(node.value))), version, None)]
    text = "" if node.style == "" and node.value in NULLS else str(node.value)
    layout = layout_of(source.text, node)
    start, end, version, name = _of_text(text, 0, reference=is_reference(text, place.spot.key))
    return [(layout.raw(start), layout.raw(end), version, name)]


def _of_text(text: str, offset: int, *, reference: bool) -> Held:
    begin = name_prefix(text)
    parsed, spans = (ImageRef.parse(text[begin:]), split_reference(text[begin:])) if reference else (None, None)
    if parsed is None or spans is None:
        return offset, offset + len(text), Version.parse(text), None
    start = spans.tag_start if spans.tag_start >= 0 else max(spans.digest_start, 0)
    end = spans.tag_end if spans.tag_start >= 0 else len(text) - begin
    return offset + begin + start, offset + begin + end, parsed.version, parsed.name


def _slot(path: str, text: str, held: Held, address: AnyMapping[str, Any], artifact: str, shift: int) -> Slot:
    start, end, version, name = held
    begin = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    return Slot(
        path=path,
        line=line_of(text, start),
        column=start - begin + 1,
        start=start + shift,
        end=end + shift,
        holds=Holds.IMAGE if name else Holds.VALUE,
        artifact=artifact,
        version=version,
        address=dict(address),
        format="address",
        key=f"address/{artifact}",
    )
