"""JSONPath queries (RFC 9535) with bounds: what a query may ask, and how many steps it may take over a file.

Decides the limits. A filter inside filters over a large file would otherwise take hours; a pattern inside a filter is an RE2 pattern, which
cannot run away. What the found places mean is left to `finding`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, SupportsIndex

import re2
from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathNode, JSONPathQuery
from jsonpath_rfc9535.filter_expressions import Expression, FilterQuery
from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment
from jsonpath_rfc9535.selectors import FilterSelector

from bot.domain.edits import EditRefused

LONGEST = 1_000
MOST_SEGMENTS = 64
MOST_FILTERS = 8
DEEPEST_FILTER = 2
MOST_DESCENTS = 4
STEPS = 500_000
EASY = 16
"""So many parts of a query cost nothing extra; the steps that a larger one may take are fewer in proportion."""


class TooManySteps(Exception):
    """A query took more steps over a file than it may."""


@dataclass(slots=True)
class Weight:
    """What a query asks for: its segments, filters and descents, how deep filters stand in filters, and all its parts."""

    segments: int = 0
    filters: int = 0
    descents: int = 0
    depth: int = 0
    parts: int = 0


class Pattern(FilterFunction):
    """`match` and `search` of RFC 9535, by RE2. What is no pattern matches nothing, as the RFC says."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  the library's own shape
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    def __call__(self, text: object, pattern: object) -> bool:
        if not isinstance(text, str) or not isinstance(pattern, str):
            return False
        compiled = _pattern(pattern)
        if compiled is None:
            return False
        return (compiled.fullmatch(text) if self._whole else compiled.search(text)) is not None


class Environment(JSONPathEnvironment):
    """The RFC's functions, with patterns by RE2."""

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = Pattern(whole=True)
        self.function_extensions["search"] = Pattern(whole=False)


@lru_cache(maxsize=1024)
def compile_query(path: str) -> JSONPathQuery:
    """The compiled query. Raises EditRefused `BadAddress` for one that is none, or that asks for more than a query may."""
    if len(path) > LONGEST:
        raise bad_address(f"the JSONPath is longer than {LONGEST} characters")
    try:
        query = _environment().compile(path)
    except (JSONPathError, RecursionError, ValueError) as error:
        raise bad_address(f"{shown(path)} is not a JSONPath of RFC 9535: {str(error).splitlines()[0]}") from None
    weight = weigh(query)
    for what, found, most in (
        ("steps", weight.segments, MOST_SEGMENTS),
        ("filters", weight.filters, MOST_FILTERS),
        ("filters inside each other", weight.depth, DEEPEST_FILTER),
        ("descents (`..`)", weight.descents, MOST_DESCENTS),
    ):
        if found > most:
            raise bad_address(f"{shown(path)} has {found} {what}, and a JSONPath may have {most}: name the place more directly")
    return query


def find(query: JSONPathQuery, data: Any) -> list[JSONPathNode]:
    """What the query finds. Raises EditRefused `BadAddress` where it takes too many steps, or cannot be followed."""
    budget = Budget(STEPS * EASY // max(EASY, weigh(query).parts))
    try:
        return list(query.finditer(counted(data, budget, {})))
    except TooManySteps:
        why = "the JSONPath takes too many steps over this file: name the place more directly, with fewer `..` and filters"
        raise bad_address(why) from None
    except (JSONPathError, RecursionError) as error:
        raise bad_address(f"the path cannot be followed: {str(error).splitlines()[0]}") from None


def weigh(query: JSONPathQuery) -> Weight:
    """What the query asks for, with the queries inside its filters."""
    weight = Weight()
    left: list[tuple[JSONPathQuery | Expression, int]] = [(query, 0)]
    while left:
        here, depth = left.pop()
        weight.parts += 1
        if not isinstance(here, JSONPathQuery):
            left += [(part, depth) for part in _parts(here)]
            continue
        for segment in here.segments:
            weight.segments += 1
            weight.descents += isinstance(segment, JSONPathRecursiveDescentSegment)
            for selector in segment.selectors:
                weight.parts += 1
                if isinstance(selector, FilterSelector):
                    weight.filters += 1
                    weight.depth = max(weight.depth, depth + 1)
                    left.append((selector.expression, depth + 1))
    return weight


def _parts(expression: Expression) -> Iterator[JSONPathQuery | Expression]:
    """What an expression of a filter is made of."""
    if isinstance(expression, FilterQuery):
        yield expression.query
    for name in ("expression", "left", "right"):
        part = getattr(expression, name, None)
        if isinstance(part, Expression):
            yield part
    yield from (part for part in getattr(expression, "args", ()) if isinstance(part, Expression))


@dataclass(slots=True)
class Budget:
    """How many steps are left."""

    left: int

    def spend(self, steps: int) -> None:
        """Take steps. Raises TooManySteps when they are used up."""
        self.left -= steps
        if self.left < 0:
            raise TooManySteps


class CountedMap(dict[str, Any]):
    """A mapping that pays for being gone through."""

    __slots__ = ("budget",)
    budget: Budget

    def items(self) -> Any:
        self.budget.spend(len(self))
        return super().items()


class CountedList(list[Any]):
    """A list that pays for being gone through."""

    __slots__ = ("budget",)
    budget: Budget

    def __iter__(self) -> Iterator[Any]:
        self.budget.spend(len(self))
        return super().__iter__()

    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        if isinstance(place, slice):
            self.budget.spend(len(self))
        return super().__getitem__(place)


def counted(data: Any, budget: Budget, made: dict[int, Any]) -> Any:
    """The data, so that every walk over it is paid for. What an alias shares stays shared."""
    if not isinstance(data, dict | list):
        return data
    if id(data) in made:
        return made[id(data)]
    result: CountedMap | CountedList
    if isinstance(data, dict):
        result = CountedMap((key, counted(value, budget, made)) for key, value in data.items())
    else:
        result = CountedList(counted(value, budget, made) for value in data)
    result.budget = budget
    made[id(data)] = result
    return result


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment()


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> "re2._Regexp[str] | None":
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def bad_address(why: str) -> EditRefused:
    """The refusal of an address."""
    return EditRefused("BadAddress", why)


def shown(text: str) -> str:
    """A text in quotes, the overlong ones cut."""
    return repr(text if len(text) <= 80 else text[:79] + "…")
