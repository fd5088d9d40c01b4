"""Where the keys of a configuration file stand, as `file:line`: for refusals that name the rule they follow.

Decides nothing; a file that cannot be read has no places, and what is said then names the key alone.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.config.tree import Node, Unreadable, read_tree


def places(path: Path | str) -> Mapping[str, str]:
    """`people.roles.approver` -> `config.yaml:41`, for every key below `people`."""
    file = Path(path)
    try:
        root, _ = read_tree(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, Unreadable):
        return {}
    people = root.at("people")
    return {key: f"{file.name}:{line}" for key, line in _keys(people, "people")} if people is not None else {}


def _keys(node: Node, name: str) -> Iterator[tuple[str, int]]:
    yield name, node.place.line
    for key, child in node.named():
        yield from _keys(child, f"{name}.{key}")
