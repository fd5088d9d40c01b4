"""How a notice looks in Slack: Block Kit within Slack's limits, everything from outside escaped.

Limits are Slack's: 150 characters a head, 3,000 a section, 2,000 a field, 10 fields, 50 blocks; the whole is kept under 12,000, since
Slack refuses messages a little above that without having said so.
"""

from collections.abc import Callable, Mapping, Sequence

SIGNS = {"info": "✅", "warning": "⚠️", "critical": "🚨"}
HEADER = 140
SECTION = 2_900
FIELD = 300
TEXT = 11_000
CUT = "… cut here; the pull request and `promotion-bot why` show all of it."


def escape(text: str) -> str:
    """The three signs that Slack gives a meaning; afterwards nothing in the text can mention, link or format by accident."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clip(text: str, size: int) -> str:
    """Escaped, and at most so long: never cut inside of a sign that was escaped."""
    found = escape(text)
    if len(found) <= size:
        return found
    short = found[: size - 1]
    sign = short.rfind("&", max(0, len(short) - 4))
    return (short[:sign] if sign >= 0 and ";" not in short[sign:] else short) + "…"


def fallback(severity: str, text: str) -> str:
    """The plain text that notifications and screen readers use."""
    return f"{SIGNS.get(severity, '')} {clip(text, SECTION)}".strip()


def header(text: str) -> dict[str, object]:
    """A head of at most 150 characters."""
    return {"type": "header", "text": {"type": "plain_text", "text": clip(" ".join(text.split()), HEADER), "emoji": True}}


def section(escaped: str) -> dict[str, object]:
    """A paragraph of text that was escaped already."""
    return {"type": "section", "text": mrkdwn_text(escaped)}


def mrkdwn_text(escaped: str) -> dict[str, object]:
    """`verbatim`: Slack looks for no names, channels and addresses in it."""
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}


def blocks(severity: str, stage: str, service: str, text: str, fields: Mapping[str, str]) -> Sequence[dict[str, object]]:
    """Head, text, fields."""
    head = f"{SIGNS.get(severity, '')} {service + ' in ' if service else ''}{stage}".strip()
    found = [header(head or "promotion-bot"), *paragraphs(text.split("\n"), escape, most=TEXT - 10 * FIELD - HEADER)]
    rows = [mrkdwn_text(f"*{clip(name, 60)}*\n{clip(value, FIELD - 70)}") for name, value in fields.items() if value]
    if rows:
        found.append({"type": "section", "fields": rows[:10]})
    return found


def paragraphs(lines: Sequence[str], written: Callable[[str], str], *, most: int) -> list[dict[str, object]]:
    """Lines as sections within Slack's limits: cut at line ends, the whole at most so long, and a word where something was left out."""
    found: list[dict[str, object]] = []
    part, used = "", 0
    for line in lines:
        short = written(line)
        short = short if len(short) <= SECTION else clip(line, SECTION)
        if used + len(short) + 1 > most - len(CUT):
            return [*found, *([section(part)] if part.strip() else []), section(CUT)]
        if part and len(part) + len(short) + 1 > SECTION:
            found += [section(part)] if part.strip() else []
            part = ""
        part = f"{part}\n{short}" if part else short
        used += len(short) + 1
    return [*found, *([section(part)] if part.strip() else [])] or [section("–")]
