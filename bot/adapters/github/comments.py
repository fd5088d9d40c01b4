"""Comments of ours, known again by a hidden marker: an answer that is written once, and a comment that is kept up to date in place.

Decides whether there is anything to write; what a comment says is the caller's. All of it is cosmetic: nothing that promotes waits for it.
https://docs.github.com/rest/issues/comments
"""

from bot.adapters.github.budget import Priority
from bot.adapters.github.face import ours_with
from bot.adapters.github.ledger import pull_subject
from bot.adapters.github.pages import Reader
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import Wire


def reply(wire: Wire, reader: Reader, repository: str, number: int, body: str, *, marker: str) -> None:
    """A new comment, unless one with this marker stands there. One GraphQL query to look, one REST call to write."""
    hidden = marker if marker.startswith("<!--") else f"<!-- promotion-bot:{marker.replace('--', '')} -->"
    _, conversation = reader.thread(repository, number)
    if ours_with(hidden, conversation) is None:
        _write(wire, repository, number, "POST", f"{number}/comments", f"{body}\n\n{hidden}")


def keep(wire: Wire, reader: Reader, repository: str, number: int, body: str, *, name: str, stamp: str) -> None:
    """The one comment of this name, edited in place where it bears another stamp. One GraphQL query to look, one REST call to write,
    none where the same stamp stands there."""
    hidden = f"<!-- promotion-bot:{name}:{stamp} -->"
    _, conversation = reader.thread(repository, number)
    standing = ours_with(f"<!-- promotion-bot:{name}:", conversation)
    if standing is None:
        _write(wire, repository, number, "POST", f"{number}/comments", f"{body}\n\n{hidden}")
    elif hidden not in standing.body:
        _write(wire, repository, number, "PATCH", f"comments/{standing.id}", f"{body}\n\n{hidden}")


def _write(wire: Wire, repository: str, number: int, method: str, path: str, text: str) -> None:
    ask = Ask(
        doing="write a comment",
        where=pull_subject(repository, number),
        needs="pull_requests: write",
        write=True,
        known=True,
        priority=Priority.COSMETIC,
    )
    wire.rest(method, f"/repos/{repository}/issues/{path}", ask, body={"body": text})
