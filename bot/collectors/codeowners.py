"""Who owns the files that a promotion changes, from CODEOWNERS on the stage's base branch (never from the pull request's head).

Decides by GitHub's rules: the first of three places, the last pattern that fits, a line it cannot read counts for nothing.
https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.collectors.answers import Found
from bot.config.schema import Config
from bot.domain.errors import UserError
from bot.gates._fields import compile_pattern
from bot.ports import Repositories

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
LARGEST = 3 << 20
FOR_GOOD = timedelta(days=1)
"""A commit's owners never change."""

Rule = tuple[Any, tuple[str, ...]]
"""A compiled pattern, and the owners it names."""


class CodeOwners:
    """The asker of `codeowners` questions: commit, paths (one per line), stage."""

    source = "codeowners"

    def __init__(self, config: Config, repositories: Repositories) -> None:
        self._config = config
        self._repositories = repositories

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        repository = self._config.stage(params["stage"]).repository
        for place in PLACES:
            content = self._repositories.read(repository, params["commit"], place)
            if content is not None:
                rules = read(content, place)
                return Found(value={path: owners_of(path, rules) for path in params["paths"].split("\n") if path}, fresh=FOR_GOOD)
        raise UserError(
            f"{repository} has no CODEOWNERS file.", where=repository, fix="add one, or take `codeowners` off the gate", code="NoCodeowners"
        )


def read(content: bytes, place: str = "CODEOWNERS") -> tuple[Rule, ...]:
    """The rules in the file's order. `UserError` when GitHub would not read it either: above 3 MB."""
    if len(content) > LARGEST:
        raise UserError(f"{place} is larger than 3 MB, and GitHub does not read it then.", where=place, fix="make it smaller")
    rules: list[Rule] = []
    for line in content.decode("utf-8", "replace").splitlines():
        words = _words(line)
        pattern = _compiled(words[0]) if words else None
        if pattern is not None and all(_is_owner(word) for word in words[1:]):
            rules.append((pattern, tuple(words[1:])))
    return tuple(rules)


def owners_of(path: str, rules: Sequence[Rule]) -> list[str]:
    """The owners that the last fitting rule names, each as it stands there; empty: nobody owns it."""
    return next((list(owners) for pattern, owners in reversed(rules) if pattern.fullmatch(path)), [])


def _words(line: str) -> list[str]:
    """The line's words without its comment; a space or # that belongs to the path is written with a backslash."""
    found: list[str] = [""]
    escaped = False
    for sign in line.strip():
        if escaped:
            found[-1] += sign if sign in " #" else f"\\{sign}"
            escaped = False
        elif sign == "\\":
            escaped = True
        elif sign == "#":
            break
        elif sign.isspace():
            found += [""] if found[-1] else []
        else:
            found[-1] += sign
    return [word for word in found if word]


def _is_owner(word: str) -> bool:
    return (word.startswith("@") and len(word) > 1) or ("@" in word[1:-1])


def _compiled(pattern: str) -> Any:
    """The pattern as RE2; None for what GitHub does not take (`!`, `[`, `\\`, an empty path)."""
    if pattern.startswith("!") or any(sign in pattern for sign in "[]\\") or not pattern.strip("/"):
        return compile_pattern(".*") if pattern == "/" else None
    body = pattern.strip("/")
    anchored = pattern.startswith("/") or "/" in body
    parts = body.split("/")
    text = "" if anchored else "(?:.*/)?"
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part == "**":
            text += ".*" if last else "(?:.*/)?"
        else:
            text += _part(part) + ("" if last else "/")
    if pattern.endswith("/"):
        text += "/.*"
    elif parts[-1] not in ("*", "**"):
        text += "(?:/.*)?"
    elif parts[-1] == "*" and len(parts) == 1:
        text = ".*"
    return compile_pattern(f"(?s){text}")


def _part(text: str) -> str:
    signs = {"*": "[^/]*", "?": "[^/]"}
    return "".join(signs.get(sign) or (sign if sign.isalnum() or sign in "_-/" else f"\\x{{{ord(sign):x}}}") for sign in text)
