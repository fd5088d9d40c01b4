"""Reading the configuration file: every error at once, or the frozen configuration.

Decides the order of the checks: the text, the models, what must fit together. The wording is `explain`'s and `lint`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config.explain import Finding, explain
from bot.config.lint import lint, secrets
from bot.config.problem import ConfigErrors, Problem
from bot.config.schema import Config
from bot.config.tree import Mark, Node, Unreadable, read_tree
from bot.domain.redact import redact

LARGEST_CALENDAR = 1 << 20
CALENDAR_KEYS = ("calendar", "holidays")
TOP = Mark(line=1, column=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of reading a file: the configuration, where it has no error, and everything that was found, in order."""

    config: Config | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Those that keep the bot from starting."""
        return tuple(problem for problem in self.problems if not problem.warning)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Those that do not."""
        return tuple(problem for problem in self.problems if problem.warning)


def load(path: Path | str) -> Config:
    """The configuration in this file. Raises ConfigErrors with every error; warnings are left to `check_file`."""
    checked = check_file(path)
    if checked.config is None:
        raise ConfigErrors(checked.errors)
    return checked.config


def check_file(path: Path | str) -> Checked:
    """Read and check a file; one that cannot be read is a problem like any other."""
    file = Path(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        what = f"The file cannot be read: {reason}"
        return _checked(None, str(path), [Finding(mark=TOP, what=what, fix="Check the path and its permissions")])
    return check(content, name=str(path), base=file.parent)


def check(content: bytes | str, *, name: str = "config.yaml", base: Path | None = None) -> Checked:
    """Check a text. Files that it names are looked for under `base`; without one they stay unread."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1 if isinstance(content, bytes) else 1
        return _checked(None, name, [Finding(mark=Mark(line=line, column=1), what="The file is not UTF-8", fix="Save it as UTF-8")])
    try:
        root, doubled = read_tree(text)
    except Unreadable as error:
        what, _, fix = error.what.partition(". ")
        return _checked(None, name, [Finding(mark=error.mark, what=what, fix=fix)])
    findings = [Finding(mark=mark, what=what.partition(". ")[0], fix=what.partition(". ")[2]) for mark, what in doubled]
    if root.entries is None:
        return _checked(None, name, [Finding(mark=root.mark, what="The file is not a mapping", fix="Start from config.example.yaml")])
    findings += secrets(root)
    root.entries = {key: node for key, node in root.entries.items() if not key.startswith("x-")}
    plain = root.plain()
    findings += _calendars(plain, root, base)
    config = None
    try:
        config = Config.model_validate(plain)
    except ValidationError as error:
        findings += explain(error, root)
    findings += lint(root)
    return _checked(config, name, findings)


def _checked(config: Config | None, name: str, findings: list[Finding]) -> Checked:
    problems = {
        Problem(
            file=name, line=found.mark.line, column=found.mark.column, what=redact(found.what), fix=found.fix, warning=found.warning
        ): None
        for found in sorted(findings, key=lambda found: (found.mark.line, found.mark.column))
    }
    broken = any(not problem.warning for problem in problems)
    return Checked(config=None if broken else config, problems=tuple(problems))


def _calendars(plain: Mapping[str, Any], root: Node, base: Path | None) -> list[Finding]:
    """Put the text of every calendar file that a gate names into the plain values."""
    findings: list[Finding] = []
    stages = root.at("pipeline", "stages")
    for stage, node in stages.named() if stages else ():
        gates = node.child("gates")
        for number, gate in enumerate(gates.items or () if gates else ()):
            for key in CALENDAR_KEYS:
                file = gate.at(key, "file")
                if file is None or not isinstance(file.scalar, str) or base is None:
                    continue
                text, problem = _calendar(base / file.scalar)
                if problem:
                    what = f"The calendar {file.scalar!r} cannot be read: {problem}"
                    findings.append(Finding(mark=file.mark, what=what, fix="Check the path; it counts from this file"))
                else:
                    plain["pipeline"]["stages"][stage]["gates"][number][key]["text"] = text
    return findings


def _calendar(path: Path) -> tuple[str, str]:
    """The file's text, or why there is none."""
    try:
        content = path.read_bytes()
        if len(content) > LARGEST_CALENDAR:
            return "", "it is larger than 1 MiB"
        return content.decode("utf-8-sig"), ""
    except (OSError, UnicodeDecodeError, ValueError) as error:
        return "", str(getattr(error, "strerror", None) or "it is not UTF-8 text")
