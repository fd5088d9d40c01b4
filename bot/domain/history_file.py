"""Reads a history file: one JSON object with `events` and, where somebody knows it, `version_order`.

Takes the file apart event by event, so that a large one never stands in memory as a tree, and says where it is broken.
What an event looks like is decided by `history_json`.
"""

from collections import Counter
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder

from bot.domain.history import Event, History
from bot.domain.history_json import HistoryError, named, read_event, unknown_fields


def read_history(text: str) -> History:
    """The history of a JSON text `{"events": [...], "version_order": [...]}`; HistoryError names the event and the field.

    An unknown member of the file or of an event is counted in `ignored_fields`.
    """
    try:
        return _Reader(text).history()
    except HistoryError:
        raise
    except JSONDecodeError as error:
        raise HistoryError(f"the file is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except ValueError as error:
        raise HistoryError(f"the file is not JSON that can be read: {error}") from None
    except RecursionError:
        raise HistoryError("the file is nested too deeply to be a history") from None


_BLANK = (" ", "\t", "\n", "\r")


class _Reader:
    """Walks the top level of the file by hand and lets the JSON decoder take one event at a time."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.at = 0
        self.decoder = JSONDecoder()
        self.ignored: Counter[str] = Counter()

    def history(self) -> History:
        events: tuple[Event, ...] | None = None
        order: tuple[str, ...] | None = None
        if self.peek() != "{":
            self.value()
            raise HistoryError('a history file holds one JSON object: {"events": [...]}')
        for key in self.members():
            if key == "events" and self.peek() == "[":
                events = tuple(self.events())
            elif key == "version_order":
                order = _version_order(self.value())
            elif key == "events":
                raise HistoryError(f"events is a list, this is {named(self.value())}")
            else:
                self.value()
                self.ignored[key] += 1
        if self.peek():
            raise JSONDecodeError("Extra data", self.text, self.at)
        if events is None:
            raise HistoryError('the file has no "events"')
        return History(events=events, version_order=order, ignored_fields=tuple(sorted(self.ignored.items())))

    def peek(self) -> str:
        while (sign := self.text[self.at : self.at + 1]) in _BLANK:
            self.at += 1
        return sign

    def take(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise JSONDecodeError(f"Expecting {wanted!r}", self.text, self.at)
        self.at += 1

    def value(self) -> object:
        self.peek()
        found: object
        found, self.at = self.decoder.raw_decode(self.text, self.at)
        return found

    def members(self) -> Iterator[str]:
        self.take("{")
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise JSONDecodeError("Expecting a name in quotes", self.text, self.at)
            self.take(":")
            yield key
            if self.peek() == "}":
                self.at += 1
                return
            self.take(",")

    def events(self) -> Iterator[Event]:
        self.take("[")
        if self.peek() == "]":
            self.at += 1
            return
        index = 0
        while True:
            raw = self.value()
            try:
                yield read_event(raw)
            except HistoryError as error:
                raise HistoryError(error.why, field=error.field, event=index) from None
            if isinstance(raw, dict) and (strange := unknown_fields(raw)):
                self.ignored.update(strange)
            index += 1
            if self.peek() == "]":
                self.at += 1
                return
            self.take(",")


def _version_order(raw: object) -> tuple[str, ...] | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or not all(isinstance(version, str) for version in raw):
        raise HistoryError("version_order is a list of versions as texts, oldest first")
    if len(set(raw)) != len(raw):
        raise HistoryError("version_order names a version twice, so that it gives no order")
    return tuple(raw)
