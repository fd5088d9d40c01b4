"""The Web API's `conversations.*`: channels, their members and what was said in them.

Decides what each takes, refuses and answers; `METHODS` finds them by name.
"""

from bot.sandbox.slack.common import SlackError, channel_of, paged
from bot.sandbox.slack.workspace import BOT_USER, Channel, Message, Obj, Workspace, shown


def _described(channel: Channel) -> Obj:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_im,
        "is_im": channel.is_im,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": BOT_USER in channel.members,
        "num_members": len(channel.members),
    }


def _conversations_list(workspace: Workspace, arguments: Obj) -> Obj:
    listed = [_described(channel) for channel in workspace.channels.values() if not channel.is_im]
    return paged(listed, arguments, "channels")


def _conversations_info(workspace: Workspace, arguments: Obj) -> Obj:
    return {"channel": _described(channel_of(workspace, arguments))}


def _conversations_join(workspace: Workspace, arguments: Obj) -> Obj:
    channel = channel_of(workspace, arguments)
    if channel.is_private or channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    channel.members.add(BOT_USER)
    return {"channel": _described(channel)}


def _conversations_members(workspace: Workspace, arguments: Obj) -> Obj:
    members = sorted(channel_of(workspace, arguments).members)
    listed = paged([{"id": member} for member in members], arguments, "members")
    return listed | {"members": [one["id"] for one in listed["members"]]}


def _conversations_open(workspace: Workspace, arguments: Obj) -> Obj:
    users = str(arguments.get("users") or "").split(",")
    if users[0] not in workspace.users:
        raise SlackError("user_not_found")
    channel = workspace.direct(users[0])
    return {"channel": _described(channel) | {"user": users[0]}}


def _visible(workspace: Workspace, channel: Channel, arguments: Obj) -> list[Message]:
    oldest, latest = str(arguments.get("oldest") or "0"), str(arguments.get("latest") or "9999999999.999999")
    found = [one for one in workspace.messages if one.channel == channel.id and one.ephemeral_for is None]
    return [one for one in found if float(oldest) <= float(one.ts) <= float(latest)]


def _history(workspace: Workspace, arguments: Obj) -> Obj:
    channel = channel_of(workspace, arguments, member=True)
    found = [one for one in _visible(workspace, channel, arguments) if one.thread_ts in (None, one.ts) or one.broadcast]
    listed = [shown(workspace, one, metadata=bool(arguments.get("include_all_metadata"))) for one in reversed(found)]
    return paged(listed, arguments, "messages")


def _replies(workspace: Workspace, arguments: Obj) -> Obj:
    channel, root = channel_of(workspace, arguments, member=True), str(arguments.get("ts") or "")
    if workspace.find(channel.id, root) is None:
        raise SlackError("thread_not_found")
    found = [one for one in _visible(workspace, channel, arguments) if root in (one.ts, one.thread_ts)]
    listed = [shown(workspace, one, metadata=bool(arguments.get("include_all_metadata"))) for one in found]
    return paged(listed, arguments, "messages")


CONVERSATIONS = {
    "conversations.list": _conversations_list,
    "conversations.info": _conversations_info,
    "conversations.join": _conversations_join,
    "conversations.members": _conversations_members,
    "conversations.open": _conversations_open,
    "conversations.history": _history,
    "conversations.replies": _replies,
}
