"""The address form `{"kustomize": NAME}`: the entry of `images` with this name in a kustomization file.

Decides which entry is meant; names are compared as Kustomize does, as text. Flux's own `Kustomization` is another kind and does not fit.
"""

from bot.domain.edits import EditRefused
from bot.manifests.addresses import Address
from bot.manifests.finding import Place, documents_of
from bot.yamltext import Alias, Document, Mapping, Scalar, Sequence, Spot, Text, begin, line_of

KINDS = ("Kustomization", "Component")
GROUP = "kustomize.config.k8s.io/"


def is_kustomization(root: object) -> bool:
    """True for a kustomization file's root, which may leave out `apiVersion` and `kind`."""
    if not isinstance(root, Mapping):
        return False
    kind, api_version = root.text("kind"), root.text("apiVersion")
    if kind is None and api_version is None:
        return True
    return (kind is None or kind in KINDS) and (api_version is None or api_version.startswith(GROUP))


def find_entries(source: Text, address: Address) -> list[Place]:
    """The entries with the name. Raises `NoMatch` or `ThroughAlias`."""
    places: list[Place] = []
    for document in documents_of(source, address):
        places += _entries(source, document, address.wanted)
    if not places:
        raise EditRefused("NoMatch", f"no kustomization in the file has an image named {address.wanted}")
    return places


def _entries(source: Text, document: Document, name: str) -> list[Place]:
    root = document.root
    images = root.get("images") if isinstance(root, Mapping) and is_kustomization(root) else None
    if not isinstance(root, Mapping) or images is None:
        return []
    listed = document.resolve(images)
    if not isinstance(listed, Sequence):
        return []
    found: list[Place] = []
    for index, child in enumerate(listed.children):
        entry = document.resolve(child)
        if not isinstance(entry, Mapping) or _name(document, entry) != name:
            continue
        for node in (images, child):
            if isinstance(node, Alias):
                line = line_of(source.text, begin(node))
                raise EditRefused("ThroughAlias", f"the entry {name} of `images` is reached through an alias", line)
        spot = Spot(node=entry, path=("images", index), chain=(root, listed))
        found.append(Place(document=document, spot=spot))
    return found


def _name(document: Document, entry: Mapping) -> str | None:
    value = entry.get("name")
    node = document.resolve(value) if value is not None else None
    return str(node.value) if isinstance(node, Scalar) else None
