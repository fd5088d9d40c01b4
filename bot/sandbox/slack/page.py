"""The page that shows a workspace's messages to people who watch the sandbox.

Decides nothing: channels, messages with their blocks, threads, buttons (as they look; they are pressed by the API),
edits, reactions and files. Every text is escaped; the page has no script and reloads itself.
"""

import re
from html import escape

from bot.sandbox.slack.workspace import Message, Obj, Workspace

STYLE = """
:root{color-scheme:light dark}body{margin:0;font:15px/1.45 system-ui,sans-serif;display:flex;min-height:100vh}
nav{background:#3f0e40;color:#fff;width:14rem;padding:1rem 0;flex:none}nav h1{font-size:1rem;margin:0 1rem 1rem}
nav a{display:block;color:#cfc3cf;padding:.25rem 1rem;text-decoration:none}nav a.here{background:#1164a3;color:#fff}
main{flex:1;padding:1rem 1.5rem;max-width:52rem}article{padding:.5rem 0;display:flex;gap:.75rem}
article.reply{margin-left:2.5rem;border-left:3px solid #8884;padding-left:.75rem}article.only{opacity:.75;font-style:italic}
.face{width:36px;height:36px;border-radius:6px;background:#2eb67d;color:#fff;display:grid;place-items:center;flex:none;font-weight:700}
.who{font-weight:700}.when,.note{color:#888;font-size:.8rem}pre,code{background:#8882;border-radius:4px;padding:0 .25rem}
button{margin:.25rem .25rem 0 0;padding:.25rem .75rem;border:1px solid #888;border-radius:4px;background:none;font-weight:600}
button.primary{background:#007a5a;color:#fff;border-color:#007a5a}button.danger{background:#e01e5a;color:#fff;border-color:#e01e5a}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:.25rem 1rem}.react{border:1px solid #8886;border-radius:1rem;padding:0 .5rem}
h2{margin:.2rem 0;font-size:1.05rem}hr{border:0;border-top:1px solid #8884}img{max-width:100%}
"""


def page(workspace: Workspace, chosen: str) -> str:
    """The page of a channel (by id or name), or of the one that was written to last."""
    last = workspace.messages[-1].channel if workspace.messages else next(iter(workspace.channels))
    found = workspace.channel(chosen) if chosen else None
    here = found.id if found is not None else last
    links = "".join(
        f'<a href="/?channel={escape(one.id)}" class="{"here" if one.id == here else ""}">{"" if one.is_im else "# "}{escape(one.name)}</a>'
        for one in workspace.channels.values()
    )
    messages = [one for one in workspace.messages if one.channel == here]
    tops = [one for one in messages if one.thread_ts in (None, one.ts)]
    body = ""
    for top in tops:
        body += _message(workspace, top)
        body += "".join(_message(workspace, one, reply=True) for one in messages if one.thread_ts == top.ts and one is not top)
    title = escape(workspace.channels[here].name)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">'
        f"<title>{title} - Slack sandbox</title><style>{STYLE}</style></head><body><nav><h1>acme (sandbox)</h1>{links}</nav>"
        f"<main><h1>{title}</h1>{body or '<p class=note>No messages yet.</p>'}</main></body></html>"
    )


def _message(workspace: Workspace, message: Message, *, reply: bool = False) -> str:
    name = str(workspace.users.get(message.user, {}).get("name", message.user))
    seconds = int(message.ts.partition(".")[0])
    when = f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d} UTC"
    classes = " ".join(["reply"] * reply + ["only"] * (message.ephemeral_for is not None))
    inside = "".join(_block(block) for block in message.blocks) or f"<div>{mrkdwn(message.text)}</div>"
    notes = " (edited)" if message.edited else ""
    if message.ephemeral_for:
        notes += f" only visible to {workspace.users.get(message.ephemeral_for, {}).get('name', message.ephemeral_for)}"
    reactions = "".join(f'<span class="react">:{escape(emoji)}: {len(users)}</span> ' for emoji, users in message.reactions.items())
    files = "".join(_file(workspace, one) for one in message.files)
    head = f'<span class="who">{escape(name)}</span> <span class="when">{when}{escape(notes)}</span>'
    return (
        f'<article class="{classes}" id="p{escape(message.ts)}"><div class="face">{escape(name[:1].upper())}</div>'
        f"<div>{head}{inside}{files}<div>{reactions}</div></div></article>"
    )


def _file(workspace: Workspace, file: str) -> str:
    found = workspace.files[file]
    address = f"/files/{escape(found.id)}"
    if found.name.endswith(".png"):
        return f'<p><img src="{address}" alt="{escape(found.alt or found.title)}"></p>'
    return f'<p><a href="{address}">{escape(found.title)}</a></p>'


def _text(node: object) -> str:
    if not isinstance(node, dict):
        return ""
    text = str(node.get("text", ""))
    return escape(text) if node.get("type") == "plain_text" else mrkdwn(text)


def _block(block: Obj) -> str:
    match block.get("type"):
        case "header":
            return f"<h2>{_text(block.get('text'))}</h2>"
        case "divider":
            return "<hr>"
        case "context":
            parts = " ".join(_text(one) for one in block.get("elements") or [])
            return f'<div class="note">{parts}</div>'
        case "actions":
            return f"<div>{''.join(_button(one) for one in block.get('elements') or [])}</div>"
        case "markdown":
            return f"<div>{escape(str(block.get('text', '')))}</div>"
        case "section":
            fields = "".join(f"<div>{_text(one)}</div>" for one in block.get("fields") or [])
            beside = _button(block["accessory"]) if isinstance(block.get("accessory"), dict) else ""
            return f"<div>{_text(block.get('text'))} {beside}</div>" + (f'<div class="fields">{fields}</div>' if fields else "")
        case "image":
            return f'<p class="note">{escape(str(block.get("alt_text", "image")))}: {escape(str(block.get("image_url", "")))}</p>'
        case other:
            return f'<p class="note">[{escape(str(other))}]</p>'


def _button(element: Obj) -> str:
    style = str(element.get("style") or "")
    label = _text(element.get("text")) or escape(str(element.get("type", "")))
    return f'<button type="button" class="{escape(style)}" title="{escape(str(element.get("action_id", "")))}">{label}</button>'


def mrkdwn(text: str) -> str:
    """Slack's mark-up as HTML: everything escaped first, then links, bold, italics, code and mentions."""
    safe = escape(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) if "&" in text and "<" not in text else escape(text)
    safe = re.sub(r"&lt;(https?://[^|&\s]+(?:&amp;[^|&\s]+)*)\|(.*?)&gt;", r'<a href="\1" rel="noreferrer">\2</a>', safe)
    safe = re.sub(r"&lt;(https?://[^|&\s]+(?:&amp;[^|&\s]+)*)&gt;", r'<a href="\1" rel="noreferrer">\1</a>', safe)
    safe = re.sub(r"```(.+?)```", r"<pre>\1</pre>", safe, flags=re.DOTALL)
    safe = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", safe)
    safe = re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"<b>\1</b>", safe)
    safe = re.sub(r"(?<![\w_/])_([^_\n]+)_(?![\w_])", r"<i>\1</i>", safe)
    return safe.replace("\n", "<br>")
