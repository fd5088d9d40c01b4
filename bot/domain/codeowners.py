"""CODEOWNERS: who owns a path. Pure; the file's text is handed in.

https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
The last rule that matches counts; `!` and `[ ]` mean nothing; a line that GitHub does not understand is passed over.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file, in this order; the first counts."""
LARGEST = 3 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line: a pattern and its owners as written (`@login`, `@org/team`, an address); no owners means nobody."""

    pattern: str
    owners: tuple[str, ...]


def parse(text: str) -> tuple[Rule, ...]:
    """All rules of a file, in order."""
    found = []
    for line in text[:LARGEST].replace("\r\n", "\n").split("\n"):
        words = re.split(r"(?<!\\)\s+", line.split(" #")[0].strip())
        if not words[0] or words[0].startswith(("#", "!")) or "[" in words[0]:
            continue
        found.append(Rule(pattern=words[0].replace("\\ ", " ").replace("\\#", "#"), owners=tuple(words[1:])))
    return tuple(found)


def owners(rules: Sequence[Rule], path: str) -> tuple[str, ...]:
    """Who owns a file: by the last rule that matches; empty when none does or that rule names nobody."""
    return next((rule.owners for rule in reversed(rules) if matches(rule.pattern, path)), ())


def matches(pattern: str, path: str) -> bool:
    """Does the pattern, in the way of .gitignore, cover this file?"""
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    if not body:
        return False
    parts = []
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", body):
        parts.append({"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece)))
    start = "" if anchored else "(?:[^/]+/)*"
    one_level = anchored and (body.endswith("/*")) and not pattern.endswith("/")
    end = "" if one_level else "/.+" if pattern.endswith("/") else "(?:/.+)?"
    return re.fullmatch(start + "".join(parts) + end, path) is not None
