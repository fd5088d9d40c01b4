"""Secrets in texts: how they are recognised, and how a text is told without them.

Decides from the shapes that GitHub, Slack, PEM files and addresses with passwords have, and from the values that the caller knows.
"""

import re
from collections.abc import Iterable

HIDDEN = "***"
SHORTEST = 6

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a GitHub token", re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9_.-]{16,}|github_pat_[A-Za-z0-9_]{20,})")),
    ("a GitLab token", re.compile(r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{16,}")),
    ("a Slack token", re.compile(r"\bx(?:ox[a-z]|app)(?:\.[a-z]+)?-[A-Za-z0-9-]{8,}")),
    ("a Slack webhook address", re.compile(r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{8,}")),
    (
        "a private key",
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END )[\s\S]){0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"),
    ),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a JSON web token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")),
)
_WITH_PASSWORD = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,30}://)(?P<login>[^\s/?#@\"'<>]{1,1000})@", re.IGNORECASE)
_HEADER = re.compile(r"(?P<name>\b(?:bearer|basic|token)\s+)(?P<value>[A-Za-z0-9+/=_.~-]{16,})", re.IGNORECASE)


def find_secret(text: str) -> str | None:
    """What kind of secret stands in the text ("a GitHub token"), or None. Never the secret itself."""
    for kind, shape in _SHAPES:
        if shape.search(text):
            return kind
    return "an address with a password in it" if any(":" in found["login"] for found in _WITH_PASSWORD.finditer(text)) else None


def redact(text: str, known: Iterable[str] = ()) -> str:
    """The text with everything that looks like a secret, and every `known` value of six characters or more, replaced by `***`."""
    for value in sorted({value for value in known if len(value) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for _, shape in _SHAPES:
        text = shape.sub(HIDDEN, text)
    text = _WITH_PASSWORD.sub(rf"\g<scheme>{HIDDEN}@", text)
    return _HEADER.sub(rf"\g<name>{HIDDEN}", text)
