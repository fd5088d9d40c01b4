"""Writes a text as an issue, once: a mark hidden in its body finds it again, so that a lost answer makes no second.

Decides nothing about what the issue says. Both calls are cosmetic: nothing that promotes waits for them.
https://docs.github.com/rest/issues/issues
"""

from urllib.parse import quote

from bot.adapters.github.budget import Priority
from bot.adapters.github.reading import understood
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import Wire

LONGEST = 65_000
"""GitHub takes 65,536 characters; the mark needs some."""


class Issues:
    """Issues of ours in any repository."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def open(self, repository: str, *, title: str, body: str, mark: str, author: str) -> str:
        """The address of the issue with this mark. One REST call to look (among the newest hundred of `author`), one to write."""
        hidden = f"<!-- promotion-bot:{mark.replace('--', '')} -->"
        reading = Ask(doing="look for our issue", where=repository, needs="issues: read", priority=Priority.COSMETIC)
        found = self._wire.rest("GET", f"/repos/{repository}/issues?state=all&per_page=100&creator={quote(author, safe='')}", reading)
        with understood("the issues"):
            there = next((str(issue["html_url"]) for issue in found if hidden in (issue["body"] or "")), "")
        if there:
            return there
        writing = Ask(doing="open an issue", where=repository, needs="issues: write", write=True, priority=Priority.COSMETIC)
        if len(body) > LONGEST:
            body = body[: body.rfind("\n", 0, LONGEST)] + "\n\n… cut: the whole is longer than an issue may be."
        answer = self._wire.rest("POST", f"/repos/{repository}/issues", writing, body={"title": title[:250], "body": f"{body}\n\n{hidden}"})
        with understood("the new issue", write=True):
            return str(answer["html_url"])
