"""What a kustomization takes from elsewhere: the first reference that only the network could answer.

Decides from the files alone, before anything is run; whether it may run at all is left to `adapters.render`.
"""

import posixpath
import re
from collections.abc import Callable, Iterator

from bot.domain.edits import EditRefused
from bot.manifests.files import decode, read_yaml
from bot.yamltext import Mapping, Node, Scalar, Spot, walk

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_REMOTE = re.compile(
    r"""\A(?:[A-Za-z][\w+.-]*:(?://|:)             # https://, git::
      | git@ | (?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org)[/:])
      | \?(?:.*&)?(?:ref|version)=""",
    re.X,
)
_FOLDERS = ("resources", "bases", "components", "generators", "transformers", "validators")
_FILES = ("crds", "configurations", "patchesStrategicMerge", "patches", "openapi", "replacements", "patchesJson6902")


def remote_reference(read: Callable[[str], bytes | None], folder: str) -> str | None:
    """The first reference to another host that building `folder` would follow; None where all stands in the repository.

    `read` gives a file by its path from the repository's root. Charts count too: they would be fetched.
    """
    waiting, seen = [posixpath.normpath(folder)], set[str]()
    while waiting:
        here = waiting.pop()
        if here in seen or here.startswith(".."):
            continue
        seen.add(here)
        for field, text in _references(_root(read, here)):
            if field == "helmCharts" or _REMOTE.search(text) is not None:
                return text
            if field in _FOLDERS:
                waiting.append(posixpath.normpath(posixpath.join(here, text)))
    return None


def _root(read: Callable[[str], bytes | None], folder: str) -> Node | None:
    """The kustomization of a folder; None where there is none, or none that can be read: then the tool itself says why."""
    paths = (posixpath.normpath(posixpath.join(folder, name)) for name in NAMES)
    content = next((found for path in paths if (found := read(path)) is not None), None)
    try:
        return read_yaml(decode(content)[1]).documents[0].root if content is not None else None
    except (EditRefused, IndexError):
        return None


def _references(root: Node | None) -> Iterator[tuple[str, str]]:
    """(field, text) of every single-line text under a field that names files, folders or charts."""
    if not isinstance(root, Mapping):
        return
    for field in (*_FOLDERS, *_FILES, "helmCharts"):
        found = root.get(field)
        spots: Iterator[Spot] = walk(found) if found is not None else iter(())
        for spot in spots:
            text = str(spot.node.value) if isinstance(spot.node, Scalar) else ""
            if text and "\n" not in text and (spot.key in ("path", "repo") or isinstance(spot.key, int)):
                yield field, text
