"""Reads an edited text again and holds it against the original: exactly the addressed values may differ, for every reader.

The C parser (YAML 1.1) reads the whole text; ruamel.yaml (1.2) reads each changed line, and the whole text where it holds characters
on which the two versions of YAML disagree. Which type a plain value gets is checked by `resolving`, the union of all readers' rules.
"""

import re
from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from typing import Any

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import AliasEvent, Event, MappingStartEvent, ScalarEvent, SequenceStartEvent

from bot.yamltext import jsontext
from bot.yamltext.nodes import Text, TextError
from bot.yamltext.resolving import is_text
from bot.yamltext.second import reads_alike
from bot.yamltext.splicing import STRING, Splice
from bot.yamltext.stillness import no_collection

_READERS_DIFFER = re.compile("[\x85\u2028\u2029\ufeff]|^%", re.M)
_INDENT = re.compile(" +")
_LINE_END = re.compile("[\r\n]")
_BEARERS = frozenset({MappingStartEvent, SequenceStartEvent, AliasEvent})


def verify(source: Text, edited: str, values: AnyMapping[int, str], splices: list[Splice]) -> None:
    """Refuse (TextError) unless `edited` differs from `source` in exactly `values`: new texts by the id of the old scalar's event."""
    if source.json and not jsontext.is_json(edited):
        raise _refusal("it would no longer be JSON")
    with no_collection():
        _compare(source, edited, values)
    old = source.text
    if _READERS_DIFFER.search(old):
        if not reads_alike(old, edited, tuple(sorted(values.values()))):
            raise _refusal("a YAML 1.2 reader would see another change")
        return
    if source.json:
        return
    shift = 0
    for splice in sorted(splices, key=lambda one: one.start):
        before, after = splice.inside or _lines_around(old, splice.start, splice.end)
        new_start = splice.start + shift
        shift += len(splice.text) - (splice.end - splice.start)
        if splice.text == old[splice.start : splice.end]:
            continue
        snippet = old[before:after]
        changed = edited[new_start - (splice.start - before) : after + shift]
        if splice.inside is not None:
            snippet, changed = snippet.join(splice.frame), changed.join(splice.frame)
        if not reads_alike(snippet, changed, None if values else ()):
            raise _refusal("a YAML 1.2 reader would see another change")


def _compare(source: Text, edited: str, values: AnyMapping[int, str]) -> None:
    """Both readings event by event; the edited text's events are not kept.

    The loop runs over every event of the file, so its common case, a scalar that stays, is a few comparisons.
    """
    found = 0
    other: Any
    get_event = _reader(source, edited)
    try:
        for one in source.events:
            other = get_event()
            kind = one.__class__
            if other.__class__ is not kind:
                raise _refusal("its structure would change")
            if kind is ScalarEvent:
                if one.value == other.value and one.style == other.style and one.tag == other.tag and one.anchor == other.anchor:  # type: ignore[attr-defined]
                    continue
                if id(one) not in values or not _as_asked(one, other, values[id(one)]):
                    raise _refusal("another value would change with it")
                found += 1
            elif kind in _BEARERS and (one.anchor != other.anchor or getattr(one, "tag", None) != getattr(other, "tag", None)):  # type: ignore[attr-defined]
                raise _refusal("an anchor or a tag would change with it")
        if get_event() is not None:
            raise _refusal("its structure would change")
    except YAMLError as error:
        raise _refusal(f"it would no longer be valid YAML ({getattr(error, 'problem', None) or 'unreadable'})") from None
    if found != len(values):
        raise _refusal("the value would not be found again")


def _reader(source: Text, edited: str) -> Callable[[], Event | None]:
    """What hands out the edited text's events one by one, and None at its end."""
    if not (source.json and jsontext.needs_own_reader(edited)):
        return CParser(edited).get_event
    again = jsontext.read(edited)
    assert again is not None
    events = iter(again.events)
    return lambda: next(events, None)


def _as_asked(old: Event, new: Event, value: str) -> bool:
    assert isinstance(old, ScalarEvent)
    assert isinstance(new, ScalarEvent)
    if new.value != value or new.tag != old.tag or new.anchor != old.anchor:
        return False
    return bool(new.style) or new.tag == STRING or is_text(value)


def _lines_around(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole lines that hold the characters from `start` to `end`, without the first one's indentation."""
    before = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    if (found := _INDENT.match(text, before, start)) is not None and "\n" not in text[before:end]:
        before = found.end()
    found = _LINE_END.search(text, end)
    return before, found.start() if found else len(text)


def _refusal(why: str) -> TextError:
    return TextError("UnsupportedScalar", f"nothing was written: with the new value the file would not read as intended; {why}")
