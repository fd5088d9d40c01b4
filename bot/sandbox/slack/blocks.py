"""Block Kit's limits, as far as Slack refuses a message for them.

Decides whether a list of blocks is one that Slack would take: known types, counts and lengths of the documentation.
"""

from typing import Any

Obj = dict[str, Any]
KNOWN = {"section", "header", "divider", "context", "actions", "image", "input", "rich_text", "video", "file", "table", "markdown"}
BLOCKS, SECTION_TEXT, HEADER_TEXT, FIELDS, FIELD_TEXT = 50, 3000, 150, 10, 2000
ELEMENTS, CONTEXT_ELEMENTS, BUTTON_TEXT, BUTTON_VALUE, ID, MARKDOWN = 25, 10, 75, 2000, 255, 12_000


def problem_of(blocks: Any, *, limit: int = BLOCKS) -> str | None:
    """The first thing that Slack would not take, with its JSON pointer; None if there is none."""
    if not isinstance(blocks, list):
        return "must be an array [json-pointer:/blocks]"
    if len(blocks) > limit:
        return f"no more than {limit} items allowed [json-pointer:/blocks]"
    seen: set[str] = set()
    for place, block in enumerate(blocks):
        where = f"/blocks/{place}"
        if not isinstance(block, dict) or block.get("type") not in KNOWN:
            return f"unsupported type: {block.get('type') if isinstance(block, dict) else block!r} [json-pointer:{where}/type]"
        block_id = block.get("block_id")
        if block_id is not None and (not isinstance(block_id, str) or len(block_id) > ID or block_id in seen):
            return f"block_id must be a unique text of at most {ID} characters [json-pointer:{where}/block_id]"
        seen |= {block_id} if block_id else set()
        if (found := _block(block, where)) is not None:
            return found
    return None


def _block(block: Obj, where: str) -> str | None:
    match block["type"]:
        case "header":
            return _text(block.get("text"), HEADER_TEXT, f"{where}/text", plain=True)
        case "section":
            return _section(block, where)
        case "markdown":
            return _length(block.get("text"), MARKDOWN, f"{where}/text")
        case "context":
            elements = block.get("elements")
            if not isinstance(elements, list) or not 1 <= len(elements) <= CONTEXT_ELEMENTS:
                return f"1 to {CONTEXT_ELEMENTS} elements [json-pointer:{where}/elements]"
            return None
        case "actions":
            elements = block.get("elements")
            if not isinstance(elements, list) or not 1 <= len(elements) <= ELEMENTS:
                return f"1 to {ELEMENTS} elements [json-pointer:{where}/elements]"
            problems = (_element(one, f"{where}/elements/{n}") for n, one in enumerate(elements))
            return next((found for found in problems if found), None)
        case _:
            return None


def _section(block: Obj, where: str) -> str | None:
    fields = block.get("fields")
    if "text" not in block and not fields:
        return f"missing required field: text or fields [json-pointer:{where}]"
    if "text" in block and (found := _text(block["text"], SECTION_TEXT, f"{where}/text")) is not None:
        return found
    if fields is not None:
        if not isinstance(fields, list) or not 1 <= len(fields) <= FIELDS:
            return f"1 to {FIELDS} items [json-pointer:{where}/fields]"
        problems = (_text(one, FIELD_TEXT, f"{where}/fields/{n}") for n, one in enumerate(fields))
        if (found := next((one for one in problems if one), None)) is not None:
            return found
    return _element(block["accessory"], f"{where}/accessory") if "accessory" in block else None


def _element(element: Any, where: str) -> str | None:
    if not isinstance(element, dict) or not isinstance(element.get("type"), str):
        return f"missing required field: type [json-pointer:{where}]"
    if len(str(element.get("action_id", ""))) > ID:
        return f"must be at most {ID} characters [json-pointer:{where}/action_id]"
    if element["type"] != "button":
        return None
    if len(str(element.get("value", ""))) > BUTTON_VALUE:
        return f"must be at most {BUTTON_VALUE} characters [json-pointer:{where}/value]"
    if element.get("style") not in (None, "primary", "danger"):
        return f"style must be primary or danger [json-pointer:{where}/style]"
    return _text(element.get("text"), BUTTON_TEXT, f"{where}/text", plain=True)


def _text(text: Any, limit: int, where: str, *, plain: bool = False) -> str | None:
    if not isinstance(text, dict) or text.get("type") not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        return f"must be a {'plain_text' if plain else 'text'} object [json-pointer:{where}]"
    return _length(text.get("text"), limit, f"{where}/text")


def _length(text: Any, limit: int, where: str) -> str | None:
    if not isinstance(text, str) or not 1 <= len(text) <= limit:
        return f"must be 1 to {limit} characters [json-pointer:{where}]"
    return None
