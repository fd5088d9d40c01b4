"""Which promotion a line means that was typed where no pull request stands: `#123`, `--promotion 123`, or `payments prod`.

Decides from the line and the promotions that are known. What the rest of the line says is `commands`' word.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.commands.grammar import PREFIX, by_name
from bot.commands.model import Verb
from bot.domain.promotion import Promotion

ABOUT_ONE = frozenset({"approve", "unapprove", "merge", "override", "rebase", "cancel", "next", "retry", "enable", "disable"})
"""Verbs whose service and stage, where both are named, can only mean the promotion."""
_FLAG = r"(?:--promotion(?:=|\s+)#?(?P<flag>\d{1,9})(?=\s|\Z))"
_NUMBER = r"(?P<number>(?<!\S)\#\d{1,9}(?=\s|\Z))"
_TOKEN = re.compile(rf"""{_FLAG}|{_NUMBER}|["“”][^"“”]*["“”]?|\S+""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The line without the words that named the promotion, and the promotion. `problem` is a sentence where nobody can tell which."""

    line: str
    stage: str = ""
    number: int | None = None
    problem: str = ""


def named(line: str, promotions: Mapping[str, Sequence[Promotion]], verbs: Mapping[str, Verb]) -> Named:
    """`promotions` holds those of each stage, oldest first."""
    text = line.strip()
    bare = text[len(PREFIX) :] if text.lower().startswith(PREFIX) and text[len(PREFIX) : len(PREFIX) + 1] in ("", " ") else text
    kept: list[str] = []
    numbers: set[int] = set()
    for match in _TOKEN.finditer(bare):
        given = match["flag"] or (match["number"] or "").removeprefix("#")
        if given and len(kept) > 0:
            numbers.add(int(given))
        else:
            kept.append(match[0])
    rest = " ".join(kept)
    if len(numbers) > 1:
        return Named(line=rest, problem="The line names more than one pull request. One command is about one promotion.")
    if numbers:
        return _by_number(rest, numbers.pop(), kept, promotions)
    return _by_name(rest, kept, promotions, verbs)


def _by_number(rest: str, number: int, words: Sequence[str], promotions: Mapping[str, Sequence[Promotion]]) -> Named:
    found = {stage: one for stage, some in promotions.items() for one in some if one.number == number}
    chosen = [stage for stage in found if stage in words] or list(found)
    if not chosen:
        return Named(line=rest, problem=f"No promotion with the number #{number} is known here. `{PREFIX} status` lists those under way.")
    under_way = [stage for stage in chosen if any(one.number == number and one.state.in_flight for one in promotions[stage])]
    chosen = under_way or chosen
    if len(chosen) > 1:
        return Named(line=rest, problem=f"#{number} is a promotion in each of {', '.join(chosen)}. Name the stage as well.")
    return Named(line=rest, stage=chosen[0], number=number)


def _by_name(rest: str, words: Sequence[str], promotions: Mapping[str, Sequence[Promotion]], verbs: Mapping[str, Verb]) -> Named:
    verb = by_name(verbs).get(words[0].lower()) if words else None
    if verb is None or verb.spec.verb not in ABOUT_ONE:
        return Named(line=rest)
    stage = next((word for word in words[1:] if word in promotions), "")
    if not stage:
        return Named(line=rest)
    under_way = [one for one in promotions[stage] if one.state.in_flight or one is promotions[stage][-1]]
    service = next((word for word in words[1:] if any(word in (one.name, *one.services) for one in promotions[stage])), "")
    if not service:
        return Named(line=rest)
    mine = [one for one in under_way if service in (one.name, *one.services) and one.number is not None]
    if not mine:
        return Named(line=rest, problem=f"No promotion of {service} into {stage} is under way.")
    left = [words[0], *(word for word in words[1:] if word not in (stage, service))]
    flying = [one for one in mine if one.state.in_flight]
    return Named(line=" ".join(left), stage=stage, number=(flying or mine)[-1].number)
