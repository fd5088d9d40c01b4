"""What differs between two renderings of a folder, object by object, with everything secret masked. Pure text in, data out.

Which folder is rendered, and how, is left to `adapters.render`.
"""

import re
from collections.abc import Iterator

from bot.domain.edits import EditRefused
from bot.domain.rendered import FieldChange, ObjectChange
from bot.manifests.files import read_yaml
from bot.manifests.objects import object_of, objects
from bot.yamltext import Alias, Document, Mapping, Node, Scalar, Sequence

MASK = "(masked)"
_BETWEEN = re.compile(r"^---[ \t]*(?:#[^\n]*)?\n", re.M)
_SECRET_NAME = re.compile(r"(?i)pass|secret|token|credential|private|api_?-?key|access_?-?key|auth|dsn|connection")
_SECRET_TEXT = re.compile(r"ENC\[|-----BEGIN |://[^/\s:@]+:[^/\s@]+@|(?i:pass(?:word|wd)?|secret|token|api_?key)[\"']?\s*[=:]")
_SECRET_FIELDS = ("data", "stringData")

Identity = tuple[str, str, str, str]
Fields = dict[str, tuple[str, bool]]
"""Values by JSON Pointer, each with whether it is secret."""


class Unreadable(ValueError):
    """A rendering that cannot be compared; the text says why."""


def object_changes(before: str, after: str) -> tuple[ObjectChange, ...]:
    """The objects that differ, by kind, namespace and name. Raises `Unreadable`."""
    old, new = _objects(before), _objects(after)
    found = []
    for identity in sorted({*old, *new}):
        _, kind, namespace, name = identity
        if identity not in new or identity not in old:
            what = "added" if identity in new else "removed"
            found.append(ObjectChange(what=what, kind=kind, namespace=namespace, name=name))
        elif fields := tuple(_differences(old[identity], new[identity])):
            found.append(ObjectChange(what="changed", kind=kind, namespace=namespace, name=name, fields=fields))
    return tuple(found)


def _differences(old: Fields, new: Fields) -> Iterator[FieldChange]:
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before is not None and after is not None and before[0] == after[0]:
            continue
        secret = any(side is not None and side[1] for side in (before, after))
        texts = [None if side is None else MASK if secret else side[0] for side in (before, after)]
        yield FieldChange(path=path, old=texts[0], new=texts[1])


def _objects(text: str) -> dict[Identity, Fields]:
    found: dict[Identity, Fields] = {}
    for part in _BETWEEN.split(text):
        if not part.strip():
            continue
        try:
            source = read_yaml(part)
        except EditRefused as refusal:
            raise Unreadable(f"an object of the rendering cannot be read: {refusal.message}") from None
        for document in source.documents:
            for spot in objects(document.root):
                if isinstance(spot.node, Mapping):
                    named = object_of(spot.node)
                    identity = (named.api_version, named.kind, named.namespace, named.name)
                    found[identity] = dict(_values(document, spot.node, named.kind == "Secret"))
    return found


def _values(document: Document, root: Mapping, is_secret: bool) -> Iterator[tuple[str, tuple[str, bool]]]:
    stack: list[tuple[Node, str, bool]] = [(root, "", False)]
    while stack:
        node, path, secret = stack.pop()
        node = document.resolve(node) if isinstance(node, Alias) else node
        if isinstance(node, Scalar):
            value = str(node.value)
            yield path, (value, secret or _SECRET_TEXT.search(value) is not None)
        elif isinstance(node, Mapping):
            name = node.text("name") or ""
            for key, child in node.pairs():
                step = str(getattr(key, "value", "")).replace("~", "~0").replace("/", "~1")
                hidden = secret or (is_secret and not path and step in _SECRET_FIELDS)
                hidden = hidden or _SECRET_NAME.search(step if step != "value" else name) is not None
                stack.append((child, f"{path}/{step}", hidden))
        elif isinstance(node, Sequence):
            steps = _item_steps(node)
            stack += [(child, f"{path}/{step}", secret) for step, child in zip(steps, node.children, strict=True)]


def _item_steps(node: Sequence) -> list[str]:
    """Items go by their names where all have one and no two the same, else by their numbers: an inserted container shifts no other."""
    names = [child.text("name") if isinstance(child, Mapping) else None for child in node.children]
    if names and all(names) and len(set(names)) == len(names):
        return [str(name).replace("~", "~0").replace("/", "~1") for name in names]
    return [str(index) for index in range(len(names))]
