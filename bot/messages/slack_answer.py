"""An answer of the bot, written in GitHub's Markdown, as Slack's mrkdwn in Block Kit; and the sentences that only Slack needs.

Decides how bold, links, tables and folded parts look there. Everything is escaped first: nothing in a service's name, a version or a
commit's text can mention anybody, make a link or call a channel together.
"""

import html
import re
from collections.abc import Sequence

from bot.messages.slack import SECTION, TEXT, clip, escape, paragraphs

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
        if len(bare) > 1 and bare.startswith("|") and bare.endswith("|"):
            cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", bare[1:-1])]
            found.append("- " + " · ".join(cell for cell in cells if cell))
        else:
            found.append(line)
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
    """The answer as sections within Slack's limits."""
    return paragraphs(_rows(text.split("\n")), _line, most=TEXT)


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
