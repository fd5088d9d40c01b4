"""Take secrets out of a text before anybody reads it: known values first, then everything that looks like a credential.

Decides from the text alone; which values are secret is told by the caller. It leaves to others what is worth showing.
"""

import re
from collections.abc import Iterable

MASK = "[redacted]"
SHORTEST_SECRET = 6

_LOOKS_SECRET = re.compile(
    r"""
      gh[pousr]_[A-Za-z0-9]{10,}                       # GitHub tokens
    | github_pat_[A-Za-z0-9_]{10,}
    | xox[a-z]-[A-Za-z0-9-]{8,} | xapp-[A-Za-z0-9-]{8,} # Slack tokens
    | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}  # JSON web tokens
    | -----BEGIN[A-Z ]*PRIVATE\ KEY-----.*?(?:-----END[A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_USER_INFO = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE)
_HEADER = re.compile(r"(?P<name>authorization:\s*(?:basic|bearer|token)\s+)[^\s'\"]+", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets, without tokens, private keys, `Authorization` values and user parts of addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    text = _LOOKS_SECRET.sub(MASK, text)
    text = _USER_INFO.sub(rf"\g<scheme>{MASK}@", text)
    return _HEADER.sub(rf"\g<name>{MASK}", text)
