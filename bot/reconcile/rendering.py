"""Adds what changes in the rendered objects to a pull request's text, where the configuration wants it.

A help for readers, no more: whatever goes wrong here, the promotion goes on without. Nothing of the pull request's branch is read.
"""

from bot.domain.errors import BotError
from bot.domain.promotion import Promotion
from bot.messages.rendered import section
from bot.reconcile.content import forward
from bot.reconcile.tools import Tools

LONGEST = 20_000
MARKER = "\n\n<!--"


def with_rendered(tools: Tools, promotion: Promotion, body: str) -> str:
    """`body` with a section before its hidden marker."""
    if tools.renderer is None:
        return body
    repository, edits = tools.place.repository, [edit for move in promotion.moves for edit in move.edits]
    try:
        files = forward(tools.repositories, repository, promotion.base, edits)
        told = section(tools.renderer.render(repository, promotion.base, files))
    except (BotError, OSError, ValueError):
        return body
    if not told or len(told) > LONGEST:
        return body
    text, marker, rest = body.rpartition(MARKER)
    return f"{text}\n\n{told}{marker}{rest}" if marker else f"{body}\n\n{told}\n"
