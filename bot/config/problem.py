"""A problem of the configuration: where it stands, what is wrong, how to mend it; and the error that carries all of them.

Pure data and its one way of being told.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`what` is a sentence without its full stop; `fix` one or more sentences. A warning does not keep the bot from starting."""

    file: str
    line: int
    column: int
    what: str
    fix: str = ""
    warning: bool = False

    def __str__(self) -> str:
        """`file:line:column: what is wrong. How to mend it.`"""
        kind = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}:{self.column}: {kind}{' '.join(map(_sentence, filter(None, (self.what, self.fix))))}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


class ConfigErrors(UserError):
    """Every error of one configuration file at once, in the order of their places."""

    code = "ConfigErrors"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(str(problem) for problem in self.problems)
        super().__init__(f"the configuration is not valid\n{lines}", fix="mend these places; `promotion-bot validate FILE` checks it")
