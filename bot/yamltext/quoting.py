"""How a value is written so that every reader gets exactly that text back: as it stands, or in quotes.

Quotes are added when, and only when, the plain text would be read as something else. The style that stands in the file is kept.
"""

import re

from bot.yamltext.nodes import TextError
from bot.yamltext.resolving import is_text

LONGEST_VALUE = 4096
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_INDICATOR = frozenset("!&*|>%@`\"'#,[]{}")
_FLOW = frozenset(",[]{}?")
"""What ends a plain value between brackets or braces; `?` does for PyYAML and for Go alone."""


def check_value(value: str) -> None:
    """Refuse (`InvalidVersion`) what no version is: nothing, blanks around it, line breaks and control characters."""
    if not value:
        raise TextError("InvalidVersion", "the new value is empty")
    if value != value.strip():
        raise TextError("InvalidVersion", "the new value begins or ends with a blank")
    if (found := _UNPRINTABLE.search(value)) is not None:
        raise TextError("InvalidVersion", f"the new value holds the control character U+{ord(found[0]):04X}")
    if len(value) > LONGEST_VALUE:
        raise TextError("InvalidVersion", f"the new value is longer than {LONGEST_VALUE} characters")


def fits_plain(value: str, *, flow: bool) -> bool:
    """True where `value` can stand without quotes, as far as syntax goes. What type it would be read as is another question."""
    first = value[0]
    if first in _INDICATOR or value in ("---", "..."):
        return False
    if first in "-?:" and (len(value) == 1 or value[1] in " \t" or (flow and (first != "-" or value[1] in _FLOW))):
        return False
    if ": " in value or ":\t" in value or " #" in value or "\t#" in value or value[-1] == ":":
        return False
    if flow:
        return not any(mark in value for mark in _FLOW) and not re.search(r":(?:[,\[\]{}]|\Z)", value)
    return True


def plain_or_quoted(value: str, *, flow: bool, strict_json: bool, tagged_text: bool) -> str:
    """`value` as it is written where a plain scalar, or nothing, stood. `tagged_text`: an explicit `!!str` stands before it."""
    if not strict_json and fits_plain(value, flow=flow) and (tagged_text or is_text(value)):
        return value
    return f'"{in_double_quotes(value)}"'


def in_double_quotes(value: str) -> str:
    """`value` for the inside of double quotes; valid in JSON too."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def in_single_quotes(value: str) -> str:
    """`value` for the inside of single quotes."""
    return value.replace("'", "''")
