"""The address form `{"regex": R}`: the named group `version` of exactly one match, in whatever text.

Where the text is YAML the edit goes through the YAML engine all the same: a plain value gets its quotes, and no other value may change.
"""

import re

from bot.domain.edits import EditRefused
from bot.manifests.addresses import Address, NewValue, compile_regex
from bot.manifests.changing import Change
from bot.manifests.edited import Edited
from bot.manifests.files import check_sops, is_bare_text, read_yaml, refused
from bot.manifests.plaintext import replace_span
from bot.manifests.references import with_parts
from bot.manifests.writing import verified, write
from bot.yamltext import Mapping, Scalar, Sequence, Spot, Text, TextError, finish, line_of, walk
from bot.yamltext.layout import layout_of, token_start

_BREAK = re.compile("[\r\n]")
_KEY = re.compile(r"""\s*(?:-\s+)*[\w./$"'-]+\s*:\s+\Z""")
_REST = re.compile(r"[ \t]*(?:$|[\r\n]|[ \t]#)")


def edit_pattern(text: str, address: Address, new: NewValue) -> Edited:
    """The text with the group's characters changed. Raises `NoMatch`, `AmbiguousMatch`, `InvalidVersion`, `StaleValue`."""
    if address.doc_index is not None or address.doc_identity:
        raise EditRefused("BadAddress", "`doc` does not go with `regex`")
    start, end = span_of(text, address)
    old = text[start:end]
    value = new.text or with_parts(old, new)
    try:
        source = read_yaml(text)
    except EditRefused as refusal:
        quote = refusal.code == "TemplateSyntax" and _is_plain_value(text, start, end)
        return replace_span(text, (start, end), value, quote_plain=quote, address=address)
    if is_bare_text(source):
        return replace_span(text, (start, end), value, quote_plain=False, address=address)
    return _through_yaml(source, (start, end), value, address)


def span_of(text: str, address: Address) -> tuple[int, int]:
    """Where the group `version` of the only match stands."""
    pattern = compile_regex(address.wanted)
    group = pattern.groupindex["version"]
    matches = [match for match, _ in zip(pattern.finditer(text), range(2), strict=False) if match.start(group) >= 0]
    if not matches:
        raise EditRefused("NoMatch", "the pattern matches nothing in the file")
    if len(matches) > 1:
        raise EditRefused("AmbiguousMatch", "the pattern matches more than once", line_of(text, matches[1].start(group)))
    start, end = matches[0].span(group)
    if text[end - 1 : end] == "\r" and end > start:  # `.` matches it, and a line's end is no version
        end -= 1
    if start == end:
        raise EditRefused("NoMatch", "the pattern's group `version` is empty", line_of(text, start))
    if (several := _BREAK.search(text, start, end)) is not None:
        raise EditRefused("UnsupportedScalar", "the pattern's group `version` goes over several lines", line_of(text, several.start()))
    return start, end


def _is_plain_value(text: str, start: int, end: int) -> bool:
    """True where the span is all that stands behind `key: ` on its line of a template for YAML, but for a comment."""
    before = text[max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1 : start]
    return _KEY.match(before) is not None and _REST.match(text, end) is not None


def _scalar_around(source: Text, start: int, end: int) -> Spot | None:
    """The value whose characters hold the span; None where it stands in a comment, a key or across values."""
    for document in source.documents:
        for spot in walk(document.root):
            node = spot.node
            if isinstance(node, Scalar) and token_start(source.text, node) <= start and end <= finish(node):
                return spot
    return None


def _through_yaml(source: Text, span: tuple[int, int], value: str, address: Address) -> Edited:
    """The edit in a YAML text: of a value, a part of one, or a comment. Nothing else may read differently afterwards."""
    text = source.text
    spliced = replace_span(text, span, value, quote_plain=False, address=address)
    spot = _scalar_around(source, *span)
    try:
        if not spliced.splices:
            return spliced
        if spot is None or not isinstance(spot.node, Scalar):
            return verified(source, list(spliced.splices), {})
        node, layout = spot.node, layout_of(text, spot.node)
        start, end = layout.offset(span[0]), layout.offset(span[1])
        whole = str(node.value)
        changed = whole[:start] + value + whole[end:]
        if node.style == "":
            flow = any(isinstance(one, Mapping | Sequence) and one.flow for one in spot.chain)
            return write(source, [Change(node=node, value=changed, flow=flow)])
        check_sops(source, node)
        return verified(source, list(spliced.splices), {id(node): changed})
    except TextError as error:
        raise refused(error, text) from None
