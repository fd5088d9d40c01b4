"""Field types that gates and the configuration share: spans of time, time zones, patterns, and lists that may be one text.

Decides what a value may look like and says how to mend it where it does not; what a value is used for is left to its owner.
"""

from datetime import timedelta
from functools import cache, lru_cache
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import re2
from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from bot.domain.duration import parse_duration, spell

DURATION_PATTERN = r"^(0|([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?|P.+)$"


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    span = parse_duration(value) if isinstance(value, str) else (timedelta() if value == 0 and type(value) is int else None)
    if span is None:
        raise ValueError("this is not a length of time. Write a number with a unit: 90s, 30m, 4h, 2d or 1h30m")
    return span


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta():
        raise ValueError("this must be longer than zero. Write for example 30s or 5m")
    return value


class Listed:
    """Marks a list that may also be written as its one part: `after: uat` for `after: [uat]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_listed, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


def _zone(value: str) -> str:
    if value not in _zones():
        raise ValueError(f"there is no time zone {value!r}. Write its IANA name, for example Europe/Berlin, America/New_York or UTC")
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Any:
    """An RE2 pattern: its time is linear in the text, so that it cannot hang the bot. ValueError where RE2 refuses it."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(text, options=options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"this is not a regular expression of RE2 ({reason}). RE2 has no look-around and no back-references") from error


def _pattern(value: str) -> str:
    compile_pattern(value)
    return value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(sign.isspace() for sign in value):
        raise ValueError("this is not an address. Write it whole, with https:// in front")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address must not carry a user name or a password. Name a credential instead and put it into the environment")
    return value


_TEXT = {"type": "string", "pattern": DURATION_PATTERN, "examples": ["90s", "30m", "4h", "2d", "1h30m"]}
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(lambda span: spell(span).replace(" ", ""), return_type=str),
    WithJsonSchema({"anyOf": [_TEXT, {"const": 0}]}),
]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Zone = Annotated[str, AfterValidator(_zone)]
Pattern = Annotated[str, AfterValidator(_pattern)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Texts = Annotated[tuple[str, ...], Listed()]
