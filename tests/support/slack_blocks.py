"""Holds blocks against Slack's own models and limits."""

from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import Block

MOST_BLOCKS, LONGEST_MESSAGE = 50, 12_000


def check(blocks: Sequence[Any]) -> None:
    """Raises where Slack's own library, or a limit of Slack's, refuses a message."""
    assert 0 < len(blocks) <= MOST_BLOCKS
    assert sum(len(text) for text in texts(blocks)) <= LONGEST_MESSAGE
    for raw in blocks:
        block = Block.parse(raw)
        assert block is not None, raw
        assert type(block) is not Block, raw
        block.validate_json()
        again = block.to_dict()
        assert {name: again.get(name) for name in raw if name not in ("elements", "fields", "text")} == {
            name: value for name, value in raw.items() if name not in ("elements", "fields", "text")
        }
        for element in raw.get("elements", ()):
            assert len(element.get("value", "")) <= 2_000
            assert element["type"] != "button" or len(element["text"]["text"]) <= 75
        for field in raw.get("fields", ()):
            assert 0 < len(field["text"]) <= 2_000
        assert len(raw.get("fields", ())) <= 10
        assert len(raw.get("elements", ())) <= 25
        if raw["type"] == "section" and "text" in raw:
            assert 0 < len(raw["text"]["text"]) <= 3_000


def texts(value: Any) -> list[str]:
    """All words that are shown."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [found for part in value.values() for found in texts(part)]
    if isinstance(value, list | tuple):
        return [found for part in value for found in texts(part)]
    return []
