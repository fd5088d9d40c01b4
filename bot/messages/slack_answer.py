"""An answer of the bot, written in GitHub's Markdown, as Slack's mrkdwn in Block Kit; and the sentences that only Slack needs.

Decides how bold, links, tables and folded parts look there. Everything is escaped first: nothing in a service's name, a version or a
commit's text can mention anybody, make a link or call a channel together.
"""

import html
import re
from collections.abc import Sequence

from bot.messages.slack import CUT, SECTION, TEXT, clip, escape, paragraphs, section

MOST_SECTIONS = 45
_SPAN = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\((https?://[^\s()<>|]{1,1000})\)")
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])")
_TAG = re.compile(r"</?(?:details|summary|sub|b|br)\b[^>\n]{0,100}>")
_ESCAPED = re.compile(r"\\([\\`*_\[\]|#~])")
_ASIDE = 0xE000
"""Signs that Markdown has escaped wait in Unicode's private area until bold and links are made."""
_RULE = re.compile(r"^\|[\s:|-]+\|$")


def mrkdwn(text: str) -> str:
    """The text in Slack's own notation."""
    return "\n".join(_line(line) for line in _rows(text.split("\n")))


def _rows(lines: Sequence[str]) -> list[str]:
    """Tables become lists: Slack's sections know no table."""
    found: list[str] = []
    for line in lines:
        bare = line.strip()
        if _RULE.match(bare):
            if found:
                found.pop()
            continue
        cells = _cells(line)
        found.append("- " + " · ".join(cell for cell in cells if cell) if cells else line)
    return found


def _line(line: str) -> str:
    plain = html.unescape(_TAG.sub("", line))
    sign = "• " if re.match(r"\s*- ", plain) else ""
    plain = re.sub(r"^\s*- ", "", plain) if sign else re.sub(r"^#{1,6} (.*)$", r"**\1**", plain)
    parts: list[str] = []
    at = 0
    for span in _SPAN.finditer(plain):
        parts += [_prose(plain[at : span.start()]), escape(span[0])]
        at = span.end()
    parts.append(_prose(plain[at:]))
    whole = _BOLD.sub(r"*\1*", "".join(parts))
    return sign + "".join(chr(ord(one) - _ASIDE) if _ASIDE <= ord(one) < _ASIDE + 128 else one for one in whole)


def _prose(text: str) -> str:
    """Italic before bold, since Slack's bold is Markdown's italic; links last, their address taken from what was escaped."""
    aside = _ESCAPED.sub(lambda match: chr(_ASIDE + ord(match[1])), text)
    found = _ITALIC.sub(r"_\1_", escape(aside))
    return _LINK.sub(lambda match: f"<{match[2]}|{match[1]}>", found)


def answer_blocks(text: str) -> list[dict[str, object]]:
    """The answer within Slack's limits: prose as sections, and the rows of a table as a section each, its last cell below the others."""
    found: list[dict[str, object]] = []
    used = 0
    for rows, lines in _parts(text.split("\n")):
        if not rows:
            made = (
                paragraphs("\n".join(lines).strip("\n").split("\n"), _line, most=max(TEXT - used, len(CUT) + 1))
                if "".join(lines).strip()
                else []
            )
        else:
            made = [section(_row(cells)) for cells in rows]
        for block in made:
            size = len(str(block["text"]["text"]))  # type: ignore[index]
            if len(found) == MOST_SECTIONS or used + size > TEXT - len(CUT):
                return [*found, section(CUT)]
            found.append(block)
            used += size
    return found or [section("–")]


def _parts(lines: Sequence[str]) -> list[tuple[list[list[str]], list[str]]]:
    """The text cut into tables (their rows without the head) and prose, in order; one of each pair is empty."""
    found: list[tuple[list[list[str]], list[str]]] = []
    place = 0
    while place < len(lines):
        end = place
        while end < len(lines) and _cells(lines[end]):
            end += 1
        if end - place > 1 and _RULE.match(lines[place + 1].strip()):
            found.append(([_cells(line) for line in lines[place + 2 : end]], []))
            place = end
            continue
        if not found or found[-1][0] or not found[-1][1]:
            found.append(([], []))
        found[-1][1].append(lines[place])
        place += 1
    return found


def _cells(line: str) -> list[str]:
    bare = line.strip()
    if len(bare) < 2 or not bare.startswith("|") or not bare.endswith("|"):
        return []
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", bare[1:-1])]


def _row(cells: Sequence[str]) -> str:
    """`*payments* · qa · open` and below it why, as one section that is never too long."""
    *head, last = [cell for cell in cells if cell] or [""]
    first = " · ".join(f"*{_line(cell)}*" if place == 0 and not cell.startswith("*") else _line(cell) for place, cell in enumerate(head))
    text = f"{first}\n{_line(last)}" if first else _line(last)
    return text if len(text) <= SECTION else clip(" · ".join(cells), SECTION)


def answer_text(text: str) -> str:
    """The same for notifications and screen readers."""
    first = mrkdwn(text)
    return first if len(first) <= SECTION else clip(text, SECTION)


def not_linked(*, linking: bool) -> str:
    """The Slack account is tied to no account of the forge."""
    how = "`/promote link` ties it with a proof of both; " if linking else ""
    return (
        "Nothing was done: nobody knows which GitHub account this Slack account belongs to. "
        f"{how}an administrator can also write it down under `notifications.slack.people`."
    )


def stranger(why: str) -> str:
    """The member may not give commands at all."""
    return f"Nothing was done: {why}."


def unavailable(why: str) -> str:
    """Something that had to be asked could not be."""
    return f"Nothing was done: {why.rstrip('.')}. Give it again in a moment."


def gone(login: str) -> str:
    """The tied account is not to be found any more."""
    return f"Nothing was done: the GitHub account that this Slack account is tied to ({login}) does not exist any more, or changed hands."
