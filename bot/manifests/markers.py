"""The address form `{"marker": TEXT}`: the scalar on the line that carries this comment.

In YAML the comment must be a comment (not part of a string) and the scalar a value. In a file that is not YAML (a template, `.env`, HCL)
the line itself is read: `key: value`, `key = "value"`, `KEY=value`, `- value`.
"""

import re
from bisect import bisect_right

from bot.domain.edits import EditRefused
from bot.manifests.addresses import Address, NewValue
from bot.manifests.edited import Edited
from bot.manifests.finding import Place, documents_of
from bot.manifests.guards import is_templated
from bot.manifests.plaintext import replace_span
from bot.manifests.references import with_parts
from bot.yamltext import Mapping, Scalar, Sequence, Spot, Text, begin, finish, line_of, walk

_HASH = re.compile(r"(?:^|(?<=[ \t]))#")
_LINE = re.compile(r"[^\r\n]*")
_COMMENT = re.compile(r"(?:^|(?<=[\s,;]))(?:#|//)")
_VALUE = re.compile(
    r"""^\s*(?:-\s+)*(?:export\s+)?(?:["']?[\w./$-]+["']?\s*(?:[:=]|:=|\?=)\s*)?(?P<quote>["']?)(?P<value>[^\s"'#]*[^\s"'#,;])(?P=quote)\s*+[,;]?\s*+$"""
)


_YAML_KEY = re.compile(r"\s*(?:-\s+)*[\w./$\"'-]+\s*:\s")
_YAML_LINE = re.compile(rf"{_YAML_KEY.pattern}|\s*(?:-\s+)+[^\s=]+\s*\Z")


def find_marked(source: Text, address: Address) -> list[Place]:
    """The scalars on the lines that carry the comment. Raises `NoMatch` or `AmbiguousMatch`."""
    lines = _marked_lines(source, address.wanted)
    places = [
        Place(document=document, spot=spot)
        for document in documents_of(source, address)
        for spot in walk(document.root)
        if not isinstance(spot.node, Mapping | Sequence) and _value_begin(source.text, spot) in lines
    ]
    if not places:
        raise EditRefused(
            "NoMatch", f"no line with a value carries the comment {address.wanted!r}", line_of(source.text, min(lines, default=0))
        )
    return places


def edit_line(text: str, address: Address, new: NewValue, refusal: EditRefused | None) -> Edited:
    """The edit in a file that is no YAML. `refusal` is why it is not; it is raised again where the line gives no answer."""
    start, end, yaml_line = span_on_line(text, address, refusal)
    value = new.text or with_parts(text[start:end], new)
    return replace_span(text, (start, end), value, quote_plain=yaml_line, address=address)


def span_on_line(text: str, address: Address, refusal: EditRefused | None) -> tuple[int, int, bool]:
    """Start and end of the value on the marked line, and whether the line is one of YAML with a plain value."""
    found = []
    for match in _LINE.finditer(text):
        comment = next((one for one in _COMMENT.finditer(match[0]) if mentions(match[0][one.end() :], address.wanted)), None)
        if match[0] and comment is not None:
            found.append((match.start(), match[0][: comment.start()]))
    valued = [(start, value) for start, line in found if (value := _VALUE.match(line)) is not None]
    if refusal is not None and refusal.code != "TemplateSyntax" and not any("=" in one.string for _, one in valued):
        raise refusal
    if not valued and any(is_templated(line) for _, line in found):
        raise EditRefused("TemplateSyntax", "the value is made by a template", line_of(text, found[0][0]))
    if not valued:
        raise EditRefused("NoMatch", f"no line with a value carries the comment {address.wanted!r}")
    if len(valued) > 1:
        raise EditRefused("AmbiguousMatch", f"{len(valued)} lines carry the comment {address.wanted!r}", line_of(text, valued[1][0]))
    start, value = valued[0]
    old = value["value"]
    if is_templated(old):
        raise EditRefused("TemplateSyntax", "the value is made by a template", line_of(text, start))
    yaml_line = (_YAML_LINE if refusal is not None else _YAML_KEY).match(value.string) is not None and not value["quote"]
    return start + value.start("value"), start + value.end("value"), yaml_line


def mentions(comment: str, marker: str) -> bool:
    """True where the comment holds the marker as a whole, not as part of a longer word (`promote: api` in `promote: api-v2`)."""
    marker = marker.removeprefix("#").strip() or marker
    return re.search(rf"(?<![\w.$-]){re.escape(marker)}(?![\w.:/-])", comment) is not None


def _marked_lines(source: Text, marker: str) -> set[int]:
    """The offsets of the line starts that carry the marker in a comment."""
    text = source.text
    starts: set[int] = set()
    marker = marker.removeprefix("#").strip() or marker
    if (position := text.find(marker)) < 0:
        return starts
    scalars = [event for event in source.events if isinstance(event, Scalar)]
    begins = [begin(event) for event in scalars]
    while position >= 0:
        start = max(text.rfind("\n", 0, position), text.rfind("\r", 0, position)) + 1
        line = _LINE.match(text, start)
        assert line is not None
        for hash_sign in _HASH.finditer(line[0]):
            before = bisect_right(begins, start + hash_sign.start()) - 1
            if before < 0 or not _holds(text, scalars[before], start + hash_sign.start()):
                if mentions(line[0][hash_sign.end() :], marker):
                    starts.add(start)
                break
        position = text.find(marker, line.end())
    return starts


def _holds(text: str, scalar: Scalar, offset: int) -> bool:
    """True where the character belongs to the scalar's text. A block scalar's header line does not."""
    if not begin(scalar) <= offset < finish(scalar):
        return False
    header = _LINE.match(text, begin(scalar))
    return not (scalar.style in ("|", ">") and header is not None and offset < header.end())


def _value_begin(text: str, spot: Spot) -> int:
    """The offset of the line start on which the spot's own characters begin."""
    node = spot.node
    assert not isinstance(node, Mapping | Sequence)
    offset = begin(node)
    if isinstance(node, Scalar) and node.style not in ("|", ">"):
        offset = finish(node)
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
