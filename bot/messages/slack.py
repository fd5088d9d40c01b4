"""How a notice looks in Slack: Block Kit within Slack's limits, everything from outside escaped.

Limits are Slack's: 3,000 characters a section, 2,000 a field, 10 fields, 50 blocks; the whole message is kept under 12,000.
"""

from collections.abc import Mapping, Sequence

SIGNS = {"info": "✅", "warning": "⚠️", "critical": "🚨"}
SECTION = 2_900
FIELD = 1_900
TEXT = 11_000


def escape(text: str) -> str:
    """The three signs that Slack gives a meaning; afterwards nothing in the text can mention, link or format by accident."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fallback(severity: str, text: str) -> str:
    """The plain text that notifications and screen readers use."""
    return f"{SIGNS.get(severity, '')} {escape(text)}"[:TEXT]


def blocks(severity: str, stage: str, service: str, text: str, fields: Mapping[str, str]) -> Sequence[dict[str, object]]:
    """Head, text, fields."""
    head = f"{SIGNS.get(severity, '')} {service + ' in ' if service else ''}{stage}".strip()
    found: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": head[:150], "emoji": True}},
    ]
    found += [{"type": "section", "text": {"type": "mrkdwn", "text": part, "verbatim": True}} for part in _parts(escape(text), SECTION)]
    rows = [
        {"type": "mrkdwn", "text": f"*{escape(name)}*\n{escape(value)}"[:FIELD], "verbatim": True}
        for name, value in fields.items()
        if value
    ]
    if rows:
        found.append({"type": "section", "fields": rows[:10]})
    return found


def _parts(text: str, size: int) -> list[str]:
    """The escaped text in at most four pieces of this size, cut at line ends, else between characters and never inside an escape."""
    parts: list[str] = []
    rest = text
    while rest and len(parts) < 4:
        cut = rest if len(rest) <= size else rest[:size].rpartition("\n")[0] or _whole(rest[:size])
        parts.append(cut)
        rest = rest[len(cut) :].lstrip("\n")
    if rest:
        parts.append("… cut here; `promotion-bot why` shows all of it.")
    return parts or [" "]


def _whole(cut: str) -> str:
    head, mark, tail = cut.rpartition("&")
    return head if mark and ";" not in tail else cut
