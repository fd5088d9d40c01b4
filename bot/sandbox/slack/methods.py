"""The Web API's methods: what each takes, refuses and answers.

Decides by Slack's documented errors (`channel_not_found`, `not_in_channel`, `invalid_blocks`, ...). Each method is one
function in `METHODS`; how requests arrive is the server's business.
"""

from collections.abc import Callable
from datetime import timedelta

from bot.sandbox.slack.blocks import problem_of
from bot.sandbox.slack.common import SlackError, channel_of, paged
from bot.sandbox.slack.conversations import CONVERSATIONS
from bot.sandbox.slack.workspace import APP, BOT, BOT_USER, DOMAIN, TEAM, Channel, File, Message, Obj, View, Workspace, shown

TEXT_LIMIT = 40_000
TRIGGER_LIVES = timedelta(seconds=3)


Method = Callable[[Workspace, Obj], Obj]


def _content(arguments: Obj) -> None:
    text, blocks, attachments = arguments.get("text"), arguments.get("blocks"), arguments.get("attachments")
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    if isinstance(text, str) and len(text) > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    if blocks is not None and (found := problem_of(blocks)) is not None:
        raise SlackError("invalid_blocks", errors=[found], response_metadata={"messages": [f"[ERROR] {found}"]})


def _new(workspace: Workspace, channel: Channel, arguments: Obj) -> Message:
    thread = arguments.get("thread_ts")
    if thread and workspace.find(channel.id, str(thread)) is None:
        raise SlackError("thread_not_found")
    return Message(
        channel=channel.id,
        ts=workspace.timestamp(),
        user=BOT_USER,
        text=str(arguments.get("text") or ""),
        blocks=list(arguments.get("blocks") or []),
        attachments=list(arguments.get("attachments") or []),
        metadata=arguments.get("metadata"),
        thread_ts=str(thread) if thread else None,
        broadcast=bool(arguments.get("reply_broadcast")),
    )


def _auth_test(_: Workspace, __: Obj) -> Obj:
    own = {"url": f"https://{DOMAIN}.slack.com/", "team": "acme (sandbox)", "user": "promotion-bot", "team_id": TEAM}
    return own | {"user_id": BOT_USER, "bot_id": BOT, "app_id": APP, "is_enterprise_install": False}


def _post_message(workspace: Workspace, arguments: Obj) -> Obj:
    channel = channel_of(workspace, arguments, member=True)
    _content(arguments)
    made = workspace.add(_new(workspace, channel, arguments))
    return {"channel": channel.id, "ts": made.ts, "message": shown(workspace, made, metadata=True)}


def _post_ephemeral(workspace: Workspace, arguments: Obj) -> Obj:
    channel = channel_of(workspace, arguments, member=True)
    user = str(arguments.get("user") or "")
    if user not in workspace.users:
        raise SlackError("user_not_in_channel")
    _content(arguments)
    made = _new(workspace, channel, arguments)
    made.ephemeral_for = user
    return {"message_ts": workspace.add(made).ts}


def _own(workspace: Workspace, arguments: Obj, refusal: str) -> tuple[Channel, Message]:
    channel = channel_of(workspace, arguments)
    found = workspace.find(channel.id, str(arguments.get("ts") or arguments.get("timestamp") or ""))
    if found is None or found.ephemeral_for is not None:
        raise SlackError("message_not_found")
    if refusal and found.user != BOT_USER:
        raise SlackError(refusal)
    return channel, found


def _update(workspace: Workspace, arguments: Obj) -> Obj:
    channel, found = _own(workspace, arguments, "cant_update_message")
    _content(arguments)
    found.text = str(arguments.get("text") or "")
    found.blocks = list(arguments.get("blocks") or [])
    found.attachments = list(arguments.get("attachments") or [])
    found.metadata = arguments.get("metadata", found.metadata)
    found.edited = workspace.timestamp()
    return {"channel": channel.id, "ts": found.ts, "text": found.text, "message": shown(workspace, found, metadata=True)}


def _delete(workspace: Workspace, arguments: Obj) -> Obj:
    channel, found = _own(workspace, arguments, "cant_delete_message")
    workspace.messages.remove(found)
    return {"channel": channel.id, "ts": found.ts}


def _permalink(workspace: Workspace, arguments: Obj) -> Obj:
    channel = channel_of(workspace, arguments)
    ts = str(arguments.get("message_ts") or "")
    if workspace.find(channel.id, ts) is None:
        raise SlackError("message_not_found")
    return {"channel": channel.id, "permalink": f"https://{DOMAIN}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"}


def _react(workspace: Workspace, arguments: Obj) -> Obj:
    _, found = _own(workspace, arguments, "")
    users = found.reactions.setdefault(str(arguments.get("name") or ""), [])
    if BOT_USER in users:
        raise SlackError("already_reacted")
    users.append(BOT_USER)
    return {}


def _unreact(workspace: Workspace, arguments: Obj) -> Obj:
    _, found = _own(workspace, arguments, "")
    name = str(arguments.get("name") or "")
    if BOT_USER not in found.reactions.get(name, []):
        raise SlackError("no_reaction")
    found.reactions[name].remove(BOT_USER)
    if not found.reactions[name]:
        del found.reactions[name]
    return {}


def _user_info(workspace: Workspace, arguments: Obj) -> Obj:
    user = workspace.users.get(str(arguments.get("user") or ""))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user}


def _users(workspace: Workspace, arguments: Obj) -> Obj:
    return paged(list(workspace.users.values()), arguments, "members")


def _upload_url(workspace: Workspace, arguments: Obj) -> Obj:
    if not arguments.get("filename") or not str(arguments.get("length") or "").isdigit():
        raise SlackError("invalid_arguments")
    made = File(id=f"F{workspace.number():08d}", name=str(arguments["filename"]), alt=str(arguments.get("alt_txt") or ""))
    workspace.files[made.id] = made
    return {"file_id": made.id, "upload_url": f"/upload/{made.id}"}


def _upload_complete(workspace: Workspace, arguments: Obj) -> Obj:
    files = [one for one in arguments.get("files") or [] if isinstance(one, dict)]
    found = [workspace.files.get(str(one.get("id"))) for one in files]
    if not found or any(one is None for one in found):
        raise SlackError("file_not_found")
    done = [one for one in found if one is not None]
    for one, told in zip(done, files, strict=True):
        one.done, one.title = True, str(told.get("title") or one.name)
    if arguments.get("channel_id"):
        place = arguments | {"channel": arguments["channel_id"]}
        channel = channel_of(workspace, place, member=True)
        made = _new(workspace, channel, {"text": arguments.get("initial_comment"), "thread_ts": arguments.get("thread_ts")})
        made.files = [one.id for one in done]
        workspace.add(made)
    return {"files": [{"id": one.id, "name": one.name, "title": one.title, "size": len(one.content)} for one in done]}


def _view_of(arguments: Obj) -> Obj:
    view = arguments.get("view")
    if not isinstance(view, dict) or not isinstance(view.get("blocks"), list) or not view.get("type"):
        raise SlackError("invalid_arguments")
    if (found := problem_of(view["blocks"], limit=100)) is not None:
        raise SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {found}"]})
    return view


def _views_open(workspace: Workspace, arguments: Obj) -> Obj:
    known = workspace.triggers.pop(str(arguments.get("trigger_id") or ""), None)
    if known is None:
        raise SlackError("invalid_trigger_id")
    if workspace.clock() - known[0] > TRIGGER_LIVES:
        raise SlackError("expired_trigger_id")
    return _stored(workspace, f"V{workspace.number():08d}", known[1], _view_of(arguments))


def _views_publish(workspace: Workspace, arguments: Obj) -> Obj:
    user = str(arguments.get("user_id") or "")
    if user not in workspace.users:
        raise SlackError("user_not_found")
    return _stored(workspace, f"VHOME{user}", user, _view_of(arguments))


def _views_update(workspace: Workspace, arguments: Obj) -> Obj:
    known = workspace.views.get(str(arguments.get("view_id") or ""))
    if known is None:
        raise SlackError("not_found")
    if arguments.get("hash") and arguments["hash"] != known.hash:
        raise SlackError("hash_conflict")
    return _stored(workspace, known.id, known.user, _view_of(arguments))


def _stored(workspace: Workspace, view_id: str, user: str, view: Obj) -> Obj:
    made = View(id=view_id, user=user, view=view, hash=f"{workspace.timestamp()}")
    workspace.views[view_id] = made
    return {"view": view | {"id": made.id, "hash": made.hash, "team_id": TEAM, "app_id": APP, "bot_id": BOT, "state": {"values": {}}}}


METHODS: dict[str, Method] = CONVERSATIONS | {
    "api.test": lambda _, arguments: {"args": arguments},
    "auth.test": _auth_test,
    "chat.postMessage": _post_message,
    "chat.postEphemeral": _post_ephemeral,
    "chat.update": _update,
    "chat.delete": _delete,
    "chat.getPermalink": _permalink,
    "reactions.add": _react,
    "reactions.remove": _unreact,
    "users.info": _user_info,
    "users.list": _users,
    "files.getUploadURLExternal": _upload_url,
    "files.completeUploadExternal": _upload_complete,
    "views.open": _views_open,
    "views.update": _views_update,
    "views.publish": _views_publish,
}
