"""Where images stand in a tree of whatever kind: strings under keys that say image, and maps that describe one.

Used by most formats; decides the common shapes (`image: repo:tag`, `{registry, repository, tag, digest}`, `image` beside `tag`).
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from bot.domain.image import ImageRef, normal_name
from bot.domain.slot import Holds, ObjectRef
from bot.manifests.collecting import Collector, Path, named_steps
from bot.yamltext import Alias, Mapping, Node, Scalar, Sequence, Spot, walk

IMAGE_KEY = re.compile(r"(?i)(?:.*[^a-z]|.*)image(?:s|_?name|_?ref|_?reference|_?ur[il])?\Z")
POD_LISTS = ("containers", "initContainers", "ephemeralContainers")
TAGS = ("tag", "imageTag")
_DESCRIBING = frozenset({*TAGS, "digest"})


def spots(root: Node, path: Path = (), chain: tuple[Node, ...] = ()) -> Iterator[Spot]:
    """`walk`, with the keys and nodes that lead to `root` in front."""
    for spot in walk(root):
        yield Spot(node=spot.node, path=(*path, *spot.path), chain=(*chain, *spot.chain)) if path else spot


def collect_images(
    collector: Collector, root: Spot, *, prefix: str, owner: ObjectRef | None = None, extra_keys: tuple[str, ...] = ()
) -> None:
    """Every image below `root`. `prefix` begins the keys; `extra_keys` are names under which this format keeps references."""
    top = len(root.path)
    stack = [root]
    while stack:
        spot = stack.pop()
        node, path, chain = spot
        if isinstance(node, Mapping):
            described = False
            below = (*chain, node)
            children = node.children
            for index in range(0, len(children), 2):
                key, value = children[index], children[index + 1]
                name = key.value if isinstance(key, Scalar) else ""
                if isinstance(value, Mapping | Sequence):
                    stack.append(Spot(value, (*path, name), below))
                elif name in _DESCRIBING:
                    described = True
                elif _says_image(name) or name in extra_keys or (name == "value" and _says_image(node.text("name") or "")):
                    _string(collector, Spot(value, (*path, name), below), root, prefix, owner)
            if described:
                _image_map(collector, spot, path[top:], root=root, prefix=prefix, owner=owner)
        elif isinstance(node, Sequence):
            below = (*chain, node)
            images = _says_image(_last_key(path))
            for place, item in enumerate(node.children):
                if isinstance(item, Mapping | Sequence):
                    stack.append(Spot(item, (*path, place), below))
                elif images:
                    _string(collector, Spot(item, (*path, place), below), root, prefix, owner)


def _string(collector: Collector, spot: Spot, root: Spot, prefix: str, owner: ObjectRef | None) -> None:
    key, container = _key(root.node, spot.path[len(root.path) :], prefix)
    collector.image(spot, key=key, owner=_in_container(owner, container))


def image_of_map(collector: Collector, node: Mapping) -> str | None:
    """The image that a map describes by `registry`, `repository` or `name`; None where it describes none."""
    repository = _text(collector, node, "repository")
    if repository is None:
        return None
    registry = _text(collector, node, "registry")
    return normal_name(f"{registry}/{repository}" if registry else repository)


def _image_map(collector: Collector, spot: Spot, inside: Path, *, root: Spot, prefix: str, owner: ObjectRef | None) -> None:
    node = spot.node
    assert isinstance(node, Mapping)
    tag = next((name for name in TAGS if node.get(name) is not None), None)
    if tag is None and node.get("digest") is None:
        return
    under_image = bool(inside) and isinstance(inside[-1], str) and IMAGE_KEY.match(inside[-1]) is not None
    artifact = image_of_map(collector, node)
    if artifact is None:
        keys = (str(key.value) for key, _ in node.pairs() if isinstance(key, Scalar))
        said = (key for key in keys if IMAGE_KEY.match(key) or (tag == "imageTag" and key == "imageRepository"))
        field = next(said, "name" if under_image else None)
        text = _text(collector, node, field) if field else None
        reference = ImageRef.parse(text) if text else None
        if reference is not None and reference.tag is None and reference.digest is None:
            artifact = reference.name
    key, container = _key(root.node, inside, prefix)
    owner = _in_container(owner, container)
    if artifact is not None:
        if tag == "imageTag":
            found = node.get(tag)
            assert found is not None
            at = Spot(node=found, path=(*spot.path, tag), chain=(*spot.chain, node))
            collector.version(at, artifact=artifact, key=f"{key}/{tag}".lstrip("/"), holds=Holds.IMAGE, owner=owner)
            return
        collector.image_map(spot, artifact, key=key, owner=owner)
    elif under_image and tag is not None and node.get("repository") is None:
        found = node.get(tag)
        assert found is not None
        at = Spot(node=found, path=(*spot.path, tag), chain=(*spot.chain, node))
        collector.version(at, artifact=unnamed(collector.path, inside), key=f"{key}/{tag}".lstrip("/"), holds=Holds.VALUE, owner=owner)


def unnamed(path: str, inside: Path) -> str:
    """A name for what a file gives a version but no name: its folder (or the file), and the keys that lead to it."""
    folders = path.rsplit("/", 2)
    base = folders[-2] if len(folders) > 1 else folders[-1].split(".")[0]
    return "/".join([base, *(str(step) for step in inside if not IMAGE_KEY.match(str(step)) and str(step) not in TAGS)])


@lru_cache(maxsize=4096)
def _says_image(key: str) -> bool:
    return IMAGE_KEY.match(key) is not None


def _last_key(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _text(collector: Collector, node: Mapping, key: str) -> str | None:
    found = node.get(key)
    value = collector.document.resolve(found) if isinstance(found, Alias) else found
    return str(value.value) or None if isinstance(value, Scalar) else None


def _key(root: Node, inside: Path, prefix: str) -> tuple[str, str]:
    """(key, container's name). Inside a pod the way to the container is left out: `containers/api`."""
    steps = named_steps(root, inside)
    for at in range(len(inside) - 1, -1, -1):
        if inside[at] in POD_LISTS and at + 1 < len(inside):
            short = [str(inside[at]), steps[at + 1], *(step for step in steps[at + 2 :] if step != "image")]
            return "/".join(filter(None, (prefix, *short))), steps[at + 1]
    return "/".join(filter(None, (prefix, *steps))), ""


def _in_container(owner: ObjectRef | None, container: str) -> ObjectRef | None:
    if owner is None or not container:
        return owner
    return ObjectRef(api_version=owner.api_version, kind=owner.kind, namespace=owner.namespace, name=owner.name, container=container)
