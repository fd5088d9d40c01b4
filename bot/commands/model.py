"""The nouns of commands: what a verb is and takes, what somebody typed, and what becomes of it. Pure data.

A verb's file builds a `Verb` of a `Spec` (from which help, pages, permissions and the parser come) and a function from the call and
the scene to an `Effect`. Who may is decided elsewhere, by one function, for every surface.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.directive import Directive
from bot.domain.facts import StageHold

if TYPE_CHECKING:
    from bot.commands.scene import Scene


class Role(StrEnum):
    """Who may: each role may everything that those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    RELEASE = "release"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Role).index(self)


class Surface(StrEnum):
    """Where a command may be given: a pull request's comment or review, Slack, the command line and HTTP interface."""

    PR = "pr"
    SLACK = "slack"
    CLI = "cli"


ANYWHERE = (Surface.PR, Surface.SLACK, Surface.CLI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A word at a place of its own. `many`: any number of them."""

    name: str
    help: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """`--name`, with a value unless `value` is empty (then it is a switch)."""

    name: str
    help: str
    value: str = "TEXT"
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One verb as people see it. `mine`: whoever gave the order may take it back whatever his role. `lasting`: the order is a state that
    may be restored late; one that is not (it starts something) does not count when it is read long after it was given.
    `cancels`: `cancel` as its first word takes it back.
    """

    verb: str
    role: Role
    help: str
    arguments: tuple[Argument, ...] = ()
    flags: tuple[Flag, ...] = ()
    aliases: tuple[str, ...] = ()
    surfaces: tuple[Surface, ...] = ANYWHERE
    examples: tuple[str, ...] = ()
    mine: str = ""
    lasting: bool = True
    cancels: bool = False

    @property
    def usage(self) -> str:
        """The line as it is typed, without the prefix: `pin <service@version> [stage] --reason TEXT`."""
        parts = [self.verb]
        parts += ["[cancel]"] if self.cancels else []
        parts += [f"<{argument.name}>" if argument.required else f"[{argument.name}]" for argument in self.arguments]
        for flag in self.flags:
            text = f"--{flag.name} {flag.value}".rstrip()
            parts.append(text if flag.required else f"[{text}]")
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What somebody typed, taken apart: `text` is the line after the prefix, `line` its number in the comment (from 1)."""

    verb: str
    words: tuple[str, ...] = ()
    flags: dict[str, str] = field(default_factory=dict)
    cancel: bool = False
    text: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Misread:
    """A line that begins with the prefix and is no command: what is wrong, and how it is typed."""

    what: str
    fix: str
    text: str = ""
    line: int = 1


class Outcome(StrEnum):
    """What became of a command."""

    DONE = "done"
    SAME = "unchanged"
    REFUSED = "refused"
    ASKED = "asked"


class Problem(StrEnum):
    """Why a command was refused, for exit codes and HTTP statuses."""

    NONE = ""
    USAGE = "usage"
    NOT_FOUND = "not found"
    UNAUTHORISED = "unauthorised"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    TOO_OFTEN = "too often"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a command does when its actor may. `stages` are those it touches (the role is asked for in each of them).

    `nudge` are stages whose GitOps agent is asked to look at git now.
    `mine` is true when it touches nothing but orders that the actor gave. `query` names what is asked, for verbs that only ask.
    """

    outcome: Outcome
    told: str = ""
    stages: tuple[str, ...] = ()
    add: tuple[Directive, ...] = ()
    withdraw: tuple[str, ...] = ()
    lift: tuple[StageHold, ...] = ()
    nudge: tuple[str, ...] = ()
    mine: bool = False
    gate: str = ""
    query: str = ""
    subject: str = ""
    problem: Problem = Problem.NONE
    role: Role | None = None


Carry = Callable[[Call, "Scene"], Effect]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A verb: how it is typed, and what it does."""

    spec: Spec
    carry: Carry


def refused(told: str, *, problem: Problem = Problem.USAGE, stages: tuple[str, ...] = ()) -> Effect:
    """A command that cannot be carried out, with a sentence that says why and what to type instead."""
    return Effect(outcome=Outcome.REFUSED, told=told, problem=problem, stages=stages)


def same(told: str, *stages: str) -> Effect:
    """Nothing to change: it is so already."""
    return Effect(outcome=Outcome.SAME, told=told, stages=stages)
