"""What the methods of the Web API share: the error, finding the channel, paging.

Decides which channel an argument means and when it may be used.
"""

import base64

from bot.sandbox.slack.workspace import BOT_USER, Channel, Obj, Workspace


class SlackError(Exception):
    """`{"ok": false, "error": CODE}`, with whatever else Slack puts beside it."""

    def __init__(self, code: str, **more: object) -> None:
        super().__init__(code)
        self.code, self.more = code, more


def channel_of(workspace: Workspace, arguments: Obj, *, member: bool = False) -> Channel:
    """The channel of a call; refused where it is not there, archived, or (with `member`) the app is not in it."""
    found = workspace.channel(str(arguments.get("channel") or ""))
    if found is None:
        raise SlackError("channel_not_found")
    if found.is_archived:
        raise SlackError("is_archived")
    if member and BOT_USER not in found.members:
        raise SlackError("not_in_channel")
    return found


def paged(items: list[Obj], arguments: Obj, name: str, default: int = 100) -> Obj:
    """One page of a list by `limit` and `cursor`."""
    limit = max(1, min(1000, int(arguments.get("limit") or default)))
    start = 0
    if cursor := str(arguments.get("cursor") or ""):
        try:
            start = int(base64.urlsafe_b64decode(cursor.encode()))
        except ValueError as error:
            raise SlackError("invalid_cursor") from error
    rest = start + limit < len(items)
    following = base64.urlsafe_b64encode(str(start + limit).encode()).decode() if rest else ""
    return {name: items[start : start + limit], "has_more": rest, "response_metadata": {"next_cursor": following}}
