"""How gates ask the outside: questions with sorted parameters, placeholders filled from the promotion, answers fetched with their problem.

Decides the placeholders and how their values are made safe. What is asked and what an answer means is each gate's own.
"""

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

from bot.domain.facts import Answer, Case, Question
from bot.domain.promotion import Move

PLACEHOLDERS = ("service", "version", "old", "digest", "stage", "head")
PER_MOVE = ("service", "version", "old", "digest")

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_]*)\}")


def ask(source: str, **params: object) -> Question:
    """A question; parameters that are empty are left out, the others are texts in the order of their names."""
    return Question(
        source=source, params=tuple(sorted((name, str(value)) for name, value in params.items() if value not in (None, "", ())))
    )


def checked(text: str) -> str:
    """The text, if all its placeholders are known; ValueError that lists them otherwise."""
    unknown = next((name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS), None)
    if unknown is not None:
        known = ", ".join(f"${{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"there is no placeholder ${{{unknown}}}. There are {known}")
    return text


def per_move(*texts: str) -> bool:
    """True when one of the texts speaks of a single service, so that each service has its own question."""
    return any(name in PER_MOVE for text in texts for name in _PLACEHOLDER.findall(text))


def fill(text: str, case: Case, move: Move | None, safe: Callable[[str], str]) -> str:
    """The text with its placeholders replaced, each value made safe for where it goes."""
    values = {"stage": case.stage, "head": case.head}
    if move is not None:
        new = move.new.main
        values |= {"service": move.service, "version": new.tag or new.text, "old": move.old.main.tag or move.old.main.text}
        values["digest"] = new.digest or ""
    return _PLACEHOLDER.sub(lambda found: safe(values.get(found[1], "")), text)


def in_url(value: str) -> str:
    """Percent-encoded: nothing in it can change the address."""
    return quote(value, safe="")


def in_quotes(value: str) -> str:
    """For the inside of a quoted string of PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def answers(case: Case, questions: Iterable[Question]) -> list[Answer]:
    """An answer for each question; one that is not there yet says so."""
    missing = Answer(at=case.now, problem="it has not been asked yet")
    return [case.answers.get(question, missing) for question in questions]
